/*
 * Plays systemd for one service: holds the UDP socket that the service gets as its standard input (StandardInput=socket), and
 * listens to what the service notifies.
 *
 *   systemd ADDRESS PORT BUFFER_BYTES NOTIFY_SOCKET WATCHDOG_MILLIS COMMAND...
 *
 * ADDRESS - for no socket; PORT 0 for any free one; NOTIFY_SOCKET @NAME for an abstract one; WATCHDOG_MILLIS 0 for none.
 * SIGUSR1 restarts the service, as systemctl restart does; SIGTERM ends it and this program. A service whose watchdog barks is
 * killed and started again. Prints:
 *
 *   socket PORT BUFFER_BYTES       the port and what the kernel granted
 *   started PID
 *   notified VARIABLE=VALUE        each line that the service sent
 *   watchdog PID                   it sent no WATCHDOG=1 in time
 *   ended PID STATUS               the status as a shell has it: 143 after SIGTERM
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static long long millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int open_udp(const char *address, const char *port, int bytes) {
  struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
  struct addrinfo *at;
  if (getaddrinfo(address, port, &hints, &at) != 0) fail(address);
  int udp = socket(at->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (udp < 0) fail("socket");
  /* As systemd, which may exceed net.core.rmem_max. */
  if (setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (bind(udp, at->ai_addr, at->ai_addrlen) != 0) fail("bind");
  freeaddrinfo(at);
  struct sockaddr_storage bound;
  socklen_t length = sizeof bound;
  char service[16];
  getsockname(udp, (struct sockaddr *) &bound, &length);
  getnameinfo((struct sockaddr *) &bound, length, NULL, 0, service, sizeof service, NI_NUMERICSERV | NI_DGRAM);
  int granted;
  length = sizeof granted;
  getsockopt(udp, SOL_SOCKET, SO_RCVBUF, &granted, &length);
  printf("socket %s %d\n", service, granted);
  return udp;
}

static int open_notify(const char *name) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length >= sizeof at.sun_path) {
    errno = ENAMETOOLONG;
    fail(name);
  }
  memcpy(at.sun_path, name, length);
  if (name[0] == '@') at.sun_path[0] = '\0';
  int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (notify < 0 || bind(notify, (struct sockaddr *) &at, offsetof(struct sockaddr_un, sun_path) + length) != 0) fail(name);
  if (name[0] != '@') chmod(name, 0666);
  return notify;
}

static pid_t start(int udp, const char *notify, int watchdog, char **command) {
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid > 0) {
    printf("started %d\n", (int) pid);
    return pid;
  }
  char text[32];
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  /* nohup ignores it for all of its children. */
  signal(SIGHUP, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (udp >= 0 && dup2(udp, 0) != 0) _exit(3);
  setenv("NOTIFY_SOCKET", notify, 1);
  if (watchdog > 0) {
    snprintf(text, sizeof text, "%d000", watchdog);
    setenv("WATCHDOG_USEC", text, 1);
    snprintf(text, sizeof text, "%d", (int) getpid());
    setenv("WATCHDOG_PID", text, 1);
  }
  execvp(command[0], command);
  perror(command[0]);
  _exit(127);
}

int main(int argc, char **argv) {
  if (argc < 7) {
    fprintf(stderr, "usage: systemd ADDRESS PORT BUFFER_BYTES NOTIFY_SOCKET WATCHDOG_MILLIS COMMAND...\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  int udp = strcmp(argv[1], "-") == 0 ? -1 : open_udp(argv[1], argv[2], atoi(argv[3]));
  int notify = open_notify(argv[4]);
  int watchdog = atoi(argv[5]);
  sigset_t handled;
  sigemptyset(&handled);
  sigaddset(&handled, SIGTERM);
  sigaddset(&handled, SIGUSR1);
  sigaddset(&handled, SIGCHLD);
  sigprocmask(SIG_BLOCK, &handled, NULL);
  int signals = signalfd(-1, &handled, SFD_CLOEXEC);
  pid_t pid = start(udp, argv[4], watchdog, argv + 6);
  int ends = 0, restarts = 0, is_ready = 0;
  long long fed = millis();
  for (;;) {
    struct pollfd ready[] = {{.fd = signals, .events = POLLIN}, {.fd = notify, .events = POLLIN}};
    poll(ready, 2, 20);
    char message[4096];
    ssize_t length;
    while ((length = recv(notify, message, sizeof message - 1, 0)) > 0) {
      message[length] = '\0';
      for (char *line = strtok(message, "\n"); line; line = strtok(NULL, "\n")) {
        printf("notified %s\n", line);
        is_ready |= strcmp(line, "READY=1") == 0;
        if (strcmp(line, "WATCHDOG=1") == 0 || strcmp(line, "READY=1") == 0) fed = millis();
      }
    }
    if (watchdog > 0 && is_ready && !restarts && !ends && millis() - fed > watchdog) {
      printf("watchdog %d\n", (int) pid);
      restarts = 1;
      kill(pid, SIGKILL);
    }
    if (!(ready[0].revents & POLLIN)) continue;
    struct signalfd_siginfo which;
    if (read(signals, &which, sizeof which) != sizeof which) fail("signalfd");
    if (which.ssi_signo == SIGTERM || which.ssi_signo == SIGUSR1) {
      if (which.ssi_signo == SIGTERM) ends = 1;
      else restarts = 1;
      kill(pid, SIGTERM);
      continue;
    }
    int status;
    if (waitpid(pid, &status, WNOHANG) != pid) continue;
    status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    printf("ended %d %d\n", (int) pid, status);
    if (ends || !restarts) return ends ? 0 : status;
    restarts = 0;
    is_ready = 0;
    fed = millis();
    pid = start(udp, argv[4], watchdog, argv + 6);
  }
}
