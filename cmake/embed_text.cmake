# Turns a text file into C++ (run with cmake -P): const char* const kReportPage[] of pieces, null at the end.
# Pieces, because compilers limit the length of one literal.
file(READ "${INPUT}" text)
string(LENGTH "${text}" length)
set(code "// Generated from ${INPUT}.\nextern const char* const kReportPage[];\nconst char* const kReportPage[] = {\n")
set(position 0)
while(position LESS length)
  string(SUBSTRING "${text}" ${position} 8000 piece)
  string(APPEND code "R\"~~~(${piece})~~~\",\n")
  math(EXPR position "${position} + 8000")
endwhile()
file(WRITE "${OUTPUT}" "${code}nullptr};\n")
