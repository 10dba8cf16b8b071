/* A file system nobody serves, at the folder named: whoever opens it waits until this ends. Stands for a network mount whose
   server is away. See fuse(4). */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char options[128];
  int fuse = open("/dev/fuse", O_RDWR);
  if (argc < 2 || fuse < 0) {
    perror("hang FOLDER: /dev/fuse");
    return 1;
  }
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", fuse);
  if (mount("hang", argv[1], "fuse", 0, options)) {
    perror("hang FOLDER: mount");
    return 1;
  }
  pause();
}
