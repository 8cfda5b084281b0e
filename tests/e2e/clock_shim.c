/* Preloaded into a program of a test: its wall clock is off by the seconds that a file names, read at each look. Who waits until a
   time means that clock, too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static long offset_s(void) {
  const char* path = getenv("CLOCK_OFFSET_FILE");
  char text[32] = "";
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  if (read(file, text, sizeof text - 1) < 0) text[0] = '\0';
  close(file);
  return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  static int (*real)(clockid_t, struct timespec*);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, now);
  if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset_s();
  return failed;
}

int gettimeofday(struct timeval* now, void* zone) {
  static int (*real)(struct timeval*, void*);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "gettimeofday");
  int failed = real(now, zone);
  if (failed == 0) now->tv_sec += offset_s();
  return failed;
}

time_t time(time_t* result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec* now, int base) {
  static int (*real)(struct timespec*, int);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "timespec_get");
  int found = real(now, base);
  if (found == TIME_UTC) now->tv_sec += offset_s();
  return found;
}

static struct timespec by_the_kernel(const struct timespec* until) {
  struct timespec at = *until;
  at.tv_sec -= offset_s();
  return at;
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const struct timespec* until) {
  static int (*real)(pthread_cond_t*, pthread_mutex_t*, const struct timespec*);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  struct timespec at = by_the_kernel(until);
  return real(condition, mutex, &at);
}

int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* until) {
  static int (*real)(cnd_t*, mtx_t*, const struct timespec*);
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, "cnd_timedwait");
  struct timespec at = by_the_kernel(until);
  return real(condition, mutex, &at);
}
