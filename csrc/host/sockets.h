/* Messages with descriptors over Unix sockets. */
#ifndef BERTH_SOCKETS_H
#define BERTH_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

/* One recvmsg(2) that takes a descriptor with it: the number of bytes, 0 at the end of the stream, or -errno. *fd is
 * the one descriptor of the message (CLOEXEC), or -1. A message that was cut, or has more than one, is -EPROTO; nothing
 * of it stays open. */
ssize_t receive_message(int socket, void *data, size_t size, int *fd);

#endif
