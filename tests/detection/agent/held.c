// Holds a directory and those below it open, prints how many, and stays: Wine's ReadDirectoryChangesW hears what other
// programs of this system change only in directories that one of its own has open. See wine.rs beside it.
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define PATH_MAX_WIDE 4096

static int held;

static void hold(const wchar_t *directory) {
  wchar_t path[PATH_MAX_WIDE];
  WIN32_FIND_DATAW found;
  HANDLE open = CreateFileW(directory, FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                            OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  if (open != INVALID_HANDLE_VALUE) held++;
  _snwprintf(path, PATH_MAX_WIDE, L"%ls\\*", directory);
  HANDLE listing = FindFirstFileW(path, &found);
  if (listing == INVALID_HANDLE_VALUE) return;
  do {
    if (!(found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) continue;
    if (!wcscmp(found.cFileName, L".") || !wcscmp(found.cFileName, L"..")) continue;
    _snwprintf(path, PATH_MAX_WIDE, L"%ls\\%ls", directory, found.cFileName);
    hold(path);
  } while (FindNextFileW(listing, &found));
  FindClose(listing);
}

int wmain(int count, wchar_t **arguments) {
  for (int i = 1; i < count; i++) hold(arguments[i]);
  printf("%d\n", held);
  fflush(stdout);
  Sleep(INFINITE);
  return 0;
}
