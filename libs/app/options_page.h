// A program's options as Markdown, for docs/reference.md.
#pragma once

namespace CLI {
class App;
}

namespace flowcast::app {

/// The group of the options that every program has.
inline constexpr const char* kCommonGroup = "Common";

/// For --print-options, on standard output: a heading for the program and for each command that does
/// something, with what it takes; under each a table for every group of options, those common to all programs
/// last.
void PrintOptions(const CLI::App& app);

}  // namespace flowcast::app
