/* Runs a fuzz target over the files of its corpus, so that what was found once is tested always. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Each input in a block of its own size, so that reading behind it shows. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint8_t *data;
    size_t size;

    if (!file || fstat(fileno(file), &st) < 0) {
        perror(path);
        if (file)
            fclose(file);
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        fclose(file);
        return 0;
    }
    data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    if (!data)
        abort();
    size = fread(data, 1, (size_t)st.st_size, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int files = 0;

    if (!dir) {
        perror(folder);
        return -1;
    }
    while ((entry = readdir(dir))) {
        char path[4096];
        int got;

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        got = entry->d_name[0] == '.' ? 0 : replay_file(path);
        if (got < 0) {
            files = -1;
            break;
        }
        files += got;
    }
    closedir(dir);
    return files;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        int files = replay_folder(argv[i]);

        if (files <= 0) {
            fprintf(stderr, "%s: no inputs\n", argv[i]);
            return 1;
        }
        printf("%s: %d inputs\n", argv[i], files);
    }
    return 0;
}
