// SPDX-License-Identifier: MIT
// What each of these programs begins with: open the source, connect to or open the sink.
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

_Noreturn static inline void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

// An open source and its size.
struct source {
  int fd;
  size_t bytes;
};

static inline struct source open_source(const char* path) {
  struct source source = {open(path, O_RDONLY | O_CLOEXEC), 0};
  struct stat status;
  if (source.fd < 0 || fstat(source.fd, &status) != 0) fail(path);
  source.bytes = (size_t)status.st_size;
  return source;
}

static inline int connect_tcp(const char* host, const char* port) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo* found;
  const int error = getaddrinfo(host, port, &hints, &found);
  if (error != 0) {
    fprintf(stderr, "%s: %s\n", host, gai_strerror(error));
    exit(1);
  }
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0) fail("connect");
  freeaddrinfo(found);
  return fd;
}

static inline int connect_unix(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail(path);
  }
  strcpy(address.sun_path, path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr*)&address, sizeof address) != 0) fail(path);
  return fd;
}

// A path of a socket or file, or HOST:PORT.
static inline int open_sink(char* text) {
  struct stat status;
  if (stat(text, &status) == 0) {
    if (S_ISSOCK(status.st_mode)) return connect_unix(text);
    const int fd = open(text, O_RDWR | O_CLOEXEC);
    if (fd >= 0) return fd;
    const int only = open(text, O_WRONLY | O_CLOEXEC);  // a pipe
    if (only < 0) fail(text);
    return only;
  }
  char* colon = strrchr(text, ':');
  if (colon == NULL) fail(text);
  *colon = '\0';
  return connect_tcp(text, colon + 1);
}

// The words of a command line: SOURCE SINK [BUFFER].
static inline size_t buffer_of(int argc, char** argv, size_t otherwise) {
  const size_t bytes = argc > 3 ? strtoull(argv[3], NULL, 10) : otherwise;
  if (argc < 3 || bytes == 0) {
    fprintf(stderr, "usage: %s SOURCE SINK [BUFFER]\n", argv[0]);
    exit(2);
  }
  return bytes;
}

// Writes all of it, however the kernel divides that.
static inline void put(int fd, const char* from, size_t bytes, int is_socket) {
  while (bytes > 0) {
    const ssize_t n = is_socket ? send(fd, from, bytes, 0) : write(fd, from, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(is_socket ? "send" : "write");
    from += n;
    bytes -= (size_t)n;
  }
}
