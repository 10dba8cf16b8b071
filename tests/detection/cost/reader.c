/* The least a program can do that sees every change of a file system: reads fanotify's queue and throws it away.
 * What a watched program pays while this runs is what the kernel asks for; the agent is measured against it.
 * With a pause in milliseconds it lets changes gather that long, as the agent does. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <unistd.h>

static char batch[256 * 1024] __attribute__((aligned(8)));

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	useconds_t pause_us = argc < 3 ? 0 : atoi(argv[2]) * 1000;
	int queue = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_REPORT_DFID_NAME, O_RDONLY);
	if (queue < 0) {
		perror("fanotify_init");
		return 1;
	}
	if (fanotify_mark(queue, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			  FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ONDIR,
			  AT_FDCWD, argv[1]) < 0) {
		perror("fanotify_mark");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(queue, batch, sizeof(batch)) > 0)
		if (pause_us)
			usleep(pause_us);
	return 0;
}
