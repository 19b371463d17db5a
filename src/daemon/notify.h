/* daemon/notify.h - tell systemd how far we are, by the datagram protocol of $NOTIFY_SOCKET.
 *
 * libsystemd would do this in one call as well, and take a megabyte of memory with the libraries it
 * brings. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/** Send "READY=1" or "STOPPING=1"; nothing happens without $NOTIFY_SOCKET. */
void notify_systemd(const char *state);

#endif
