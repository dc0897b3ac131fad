/*
 * Faults: makes the disk, the clock and the sockets of a process misbehave on command. Loaded with LD_PRELOAD; for Linux
 * with glibc. The class Faults compiles it, and sets the slots below in a file that both map into memory.
 *
 *   FAULTS_CONTROL  that file
 *   FAULTS_FOLDER   the real path of a folder; disk faults affect only files in it, so the JVM's own files are not affected
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* One 64-bit number each, in this order; the same as the constants of Faults.Slot. */
enum slot {
    CLOCK_MILLIS,        /* the wall clock is ahead by this */
    SYNC_ERRNO,          /* fsync and fdatasync of files fail */
    SYNC_FOLDER_ERRNO,   /* fsync of folders fails */
    SYNC_MILLIS,         /* fsync and fdatasync of files and folders take so long, or until this is 0 again */
    WRITE_ERRNO,         /* writing and truncating files fails */
    WRITES_UNTIL_FULL,   /* n: n - 1 writes succeed, then writing fails with ENOSPC until this is set again */
    READ_ERRNO,          /* reading files fails */
    READ_MILLIS,         /* reading files takes so long, or until this is 0 again */
    OPEN_ERRNO,          /* opening files for writing fails, and so does creating files */
    UNLINK_ERRNO,        /* deleting files fails */
    RENAME_ERRNO,        /* renaming files fails */
    RECEIVES_FAIL,       /* this many receives on datagram sockets fail with ENOMEM */
    ACCEPTS_FAIL,        /* this many accepts fail with EMFILE */
    CALLS_ERRNO,         /* every call on a file fails with this, once CALLS_UNTIL_FAULT is used up: */
    CALLS_UNTIL_FAULT,   /* n: the n-th call from now on fails, */
    CALLS_FAIL,          /* and this many calls in all */
    SYNCS_SKIPPED,       /* syncs that do not fail do nothing: only a power failure needs them, and they take time */
    HITS,                /* counts the calls that were made to fail */
    SLOTS
};

static int64_t none[SLOTS];
static volatile int64_t *slots = none;
static char folder[4096];
static size_t folder_length;

__attribute__((constructor)) static void begin(void) {
    const char *control = getenv("FAULTS_CONTROL");
    const char *where = getenv("FAULTS_FOLDER");
    if (where && strlen(where) < sizeof folder) {
        strcpy(folder, where);
        folder_length = strlen(folder);
    }
    int fd = control ? open(control, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *mapped = mmap(0, SLOTS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED) slots = mapped;
        close(fd);
    }
}

/* The C library's own function of this name. */
#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__)) dlsym(RTLD_NEXT, #name)

static int is_below(const char *path) {
    return folder_length && !strncmp(path, folder, folder_length)
        && (path[folder_length] == '/' || path[folder_length] == 0);
}

/* Whether it is a file (S_IFREG) or a folder (S_IFDIR) of ours. */
static int is_ours(int fd, mode_t kind) {
    struct stat found;
    char link[64], path[4096];
    if (fstat(fd, &found) || (found.st_mode & S_IFMT) != kind) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

static int fail(int error) {
    __sync_fetch_and_add(&slots[HITS], 1);
    errno = error;
    return -1;
}

/* Decrements the number of calls that must fail; whether this call is one of them. */
static int take(enum slot slot) {
    for (;;) {
        int64_t left = slots[slot];
        if (left <= 0) return 0;
        if (__sync_bool_compare_and_swap(&slots[slot], left, left - 1)) return 1;
    }
}

/* Whether this call on a file of ours is one of those that CALLS_UNTIL_FAULT counts out. */
static int counted_fault(void) {
    if (!slots[CALLS_ERRNO]) return 0;
    int64_t left = __sync_sub_and_fetch(&slots[CALLS_UNTIL_FAULT], 1);
    return left <= 0 && left > -slots[CALLS_FAIL] ? fail((int) slots[CALLS_ERRNO]) : 0;
}

static void wait_for(enum slot slot) {
    for (int64_t waited = 0; waited < slots[slot]; waited += 5) {
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, 0);
    }
}

/* The wall clock */

int clock_gettime(clockid_t id, struct timespec *now) {
    REAL(int, clock_gettime, clockid_t, struct timespec *);
    int result = real(id, now);
    int64_t ahead = slots[CLOCK_MILLIS];
    if (ahead && !result && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t nanos = now->tv_nsec + (ahead % 1000) * 1000000;
        now->tv_sec += ahead / 1000 + (nanos < 0 ? -1 : nanos / 1000000000);
        now->tv_nsec = nanos < 0 ? nanos + 1000000000 : nanos % 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    REAL(int, gettimeofday, struct timeval *, void *);
    if (!slots[CLOCK_MILLIS]) return real(now, zone);
    struct timespec ahead;
    int result = clock_gettime(CLOCK_REALTIME, &ahead);
    now->tv_sec = ahead.tv_sec;
    now->tv_usec = ahead.tv_nsec / 1000;
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

/* The disk */

static int synced(int fd, int (*real)(int)) {
    int file = is_ours(fd, S_IFREG);
    if (!file && !is_ours(fd, S_IFDIR)) return real(fd);
    wait_for(SYNC_MILLIS);
    int64_t error = slots[file ? SYNC_ERRNO : SYNC_FOLDER_ERRNO];
    if (error) return fail((int) error);
    if (counted_fault()) return -1;
    return slots[SYNCS_SKIPPED] ? 0 : real(fd);
}

int fsync(int fd) {
    REAL(int, fsync, int);
    return synced(fd, real);
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return synced(fd, real);
}

static int write_fails(int fd) {
    if (!slots[WRITE_ERRNO] && !slots[WRITES_UNTIL_FULL] && !slots[CALLS_ERRNO]) return 0;
    if (!is_ours(fd, S_IFREG)) return 0;
    if (slots[WRITE_ERRNO]) return fail((int) slots[WRITE_ERRNO]);
    for (;;) {
        int64_t left = slots[WRITES_UNTIL_FULL];
        if (left == 0) return counted_fault();
        if (left == 1) return fail(ENOSPC);
        if (__sync_bool_compare_and_swap(&slots[WRITES_UNTIL_FULL], left, left - 1)) return 0;
    }
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return write_fails(fd) ? -1 : real(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    return pwrite64(fd, bytes, size, at);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    return write_fails(fd) ? -1 : real(fd, bytes, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    return write_fails(fd) ? -1 : real(fd, parts, count);
}

int ftruncate64(int fd, off64_t size) {
    REAL(int, ftruncate64, int, off64_t);
    return write_fails(fd) ? -1 : real(fd, size);
}

int ftruncate(int fd, off_t size) {
    return ftruncate64(fd, size);
}

static int read_fails(int fd) {
    if (!slots[READ_ERRNO] && !slots[READ_MILLIS] && !slots[CALLS_ERRNO]) return 0;
    if (!is_ours(fd, S_IFREG)) return 0;
    wait_for(READ_MILLIS);
    return slots[READ_ERRNO] ? fail((int) slots[READ_ERRNO]) : counted_fault();
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
    REAL(ssize_t, pread64, int, void *, size_t, off64_t);
    return read_fails(fd) ? -1 : real(fd, bytes, size, at);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at) {
    return pread64(fd, bytes, size, at);
}

ssize_t read(int fd, void *bytes, size_t size) {
    REAL(ssize_t, read, int, void *, size_t);
    return read_fails(fd) ? -1 : real(fd, bytes, size);
}

static int open_fails(const char *path, int flags) {
    int64_t error = slots[OPEN_ERRNO];
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    if (!writes || !(error || slots[CALLS_ERRNO]) || !is_below(path)) return 0;
    return error ? fail((int) error) : counted_fault();
}

int open64(const char *path, int flags, ...) {
    REAL(int, open64, const char *, int, ...);
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open_fails(path, flags) ? -1 : real(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open64(path, flags, mode);
}

static int name_fails(enum slot slot, const char *path) {
    if (!(slots[slot] || slots[CALLS_ERRNO]) || !is_below(path)) return 0;
    return slots[slot] ? fail((int) slots[slot]) : counted_fault();
}

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    return name_fails(UNLINK_ERRNO, path) ? -1 : real(path);
}

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    return name_fails(RENAME_ERRNO, from) ? -1 : real(from, to);
}

/* Sockets */

static int receive_fails(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    if (slots[RECEIVES_FAIL] <= 0) return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_DGRAM) return 0;
    return take(RECEIVES_FAIL) ? fail(ENOMEM) : 0;
}

ssize_t recv(int fd, void *bytes, size_t size, int flags) {
    REAL(ssize_t, recv, int, void *, size_t, int);
    return receive_fails(fd) ? -1 : real(fd, bytes, size, flags);
}

ssize_t recvfrom(int fd, void *bytes, size_t size, int flags, struct sockaddr *from, socklen_t *from_size) {
    REAL(ssize_t, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *);
    return receive_fails(fd) ? -1 : real(fd, bytes, size, flags, from, from_size);
}

int accept(int fd, struct sockaddr *from, socklen_t *from_size) {
    REAL(int, accept, int, struct sockaddr *, socklen_t *);
    return take(ACCEPTS_FAIL) ? fail(EMFILE) : real(fd, from, from_size);
}
