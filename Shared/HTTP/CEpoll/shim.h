// What the Glibc module map leaves out.
#pragma once
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

// Declared by the headers only under _GNU_SOURCE.
int accept4(int, struct sockaddr *, socklen_t *, int);
