// Notes, in order, what the program into which it is preloaded does to the files of one directory.
//
// DISK_DIRECTORY is the directory, DISK_TRACE the file of notes. `disk.rs` says what a note is, and
// reads them. The lock makes the order of the notes that in which things were done. While the file
// DISK_BROKEN is there, where that is set, nothing can be synced.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 65536 };

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))
// With large files a name of its own stands for the same function.
#define ALSO(other, function) extern __typeof__(function) other __attribute__((alias(#function)))

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static const char *directory;
static int trace = -1;
// The name within the directory of what is open; empty for the directory.
static char *names[FILES];

__attribute__((constructor)) static void begin(void) {
  directory = getenv("DISK_DIRECTORY");
  const char *path = getenv("DISK_TRACE");
  if (directory && path) trace = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (trace < 0) abort();
}

static const char *within(const char *path) {
  size_t length = strlen(directory);
  if (strncmp(path, directory, length) != 0) return NULL;
  if (path[length] == 0) return path + length;
  if (path[length] != '/' || strchr(path + length + 1, '/')) return NULL;
  return path + length + 1;
}

static const char *name_of(int file) {
  return file >= 0 && file < FILES ? names[file] : NULL;
}

static void note(char kind, const char *name, uint64_t offset, const void *data, uint64_t length) {
  char head[2 + 8 + 8] = {kind, (char)strlen(name)};
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &length, 8);
  struct iovec parts[] = {
      {head, sizeof head}, {(void *)name, strlen(name)}, {(void *)data, data ? length : 0}};
  ssize_t size = (ssize_t)(sizeof head + parts[1].iov_len + parts[2].iov_len);
  if (REAL(writev)(trace, parts, 3) != size) abort();
}

int open(const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  const char *name = within(path);
  if (!name) return REAL(open)(path, flags, mode);
  pthread_mutex_lock(&order);
  int is_new = access(path, F_OK) != 0;
  int file = REAL(open)(path, flags, mode);
  if (file >= FILES) abort();
  if (file >= 0) {
    names[file] = strdup(name);
    if (is_new) note('n', name, 0, NULL, 0);
    else if (flags & O_TRUNC) note('t', name, 0, NULL, 0);
  }
  pthread_mutex_unlock(&order);
  return file;
}
ALSO(open64, open);

int close(int file) {
  if (!name_of(file)) return REAL(close)(file);
  pthread_mutex_lock(&order);
  free(names[file]);
  names[file] = NULL;
  int closed = REAL(close)(file);
  pthread_mutex_unlock(&order);
  return closed;
}

ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
  if (!name_of(file)) return REAL(pwrite)(file, data, length, offset);
  pthread_mutex_lock(&order);
  ssize_t written = REAL(pwrite)(file, data, length, offset);
  if (written > 0) note('w', names[file], (uint64_t)offset, data, (uint64_t)written);
  pthread_mutex_unlock(&order);
  return written;
}
ALSO(pwrite64, pwrite);

ssize_t write(int file, const void *data, size_t length) {
  if (!name_of(file)) return REAL(write)(file, data, length);
  pthread_mutex_lock(&order);
  int appends = fcntl(file, F_GETFL) & O_APPEND;
  off_t offset = lseek(file, 0, appends ? SEEK_END : SEEK_CUR);
  ssize_t written = REAL(write)(file, data, length);
  if (written > 0) note('w', names[file], (uint64_t)offset, data, (uint64_t)written);
  pthread_mutex_unlock(&order);
  return written;
}

int ftruncate(int file, off_t length) {
  if (!name_of(file)) return REAL(ftruncate)(file, length);
  pthread_mutex_lock(&order);
  int done = REAL(ftruncate)(file, length);
  if (done == 0) note('t', names[file], (uint64_t)length, NULL, 0);
  pthread_mutex_unlock(&order);
  return done;
}
ALSO(ftruncate64, ftruncate);

static int synced(int file, int (*sync)(int)) {
  if (!name_of(file)) return sync(file);
  const char *broken = getenv("DISK_BROKEN");
  pthread_mutex_lock(&order);
  int fails = broken && access(broken, F_OK) == 0;
  int done = fails ? -1 : sync(file);
  if (fails || done == 0) note(fails ? 'f' : 's', names[file], 0, NULL, 0);
  pthread_mutex_unlock(&order);
  if (fails) errno = EIO;
  return done;
}

int fsync(int file) { return synced(file, REAL(fsync)); }

int fdatasync(int file) { return synced(file, REAL(fdatasync)); }

int unlink(const char *path) {
  const char *name = within(path);
  if (!name) return REAL(unlink)(path);
  pthread_mutex_lock(&order);
  int done = REAL(unlink)(path);
  if (done == 0) note('u', name, 0, NULL, 0);
  pthread_mutex_unlock(&order);
  return done;
}
