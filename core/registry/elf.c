// SPDX-License-Identifier: Apache-2.0
/*
 * A reader for as much of ELF as tells whether a plugin can be loaded. The file is untrusted until then: every read
 * goes through `image_at`, which checks bounds.
 */
#include <config.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/component.h>

#include "core/registry/elf.h"

#if __SIZEOF_POINTER__ == 8
typedef Elf64_Ehdr Header;
typedef Elf64_Shdr Section;
typedef Elf64_Phdr Segment;
typedef Elf64_Sym Symbol;
typedef Elf64_Verneed Need;
typedef Elf64_Vernaux NeedVersion;
#define OUR_CLASS ELFCLASS64
#else
typedef Elf32_Ehdr Header;
typedef Elf32_Shdr Section;
typedef Elf32_Phdr Segment;
typedef Elf32_Sym Symbol;
typedef Elf32_Verneed Need;
typedef Elf32_Vernaux NeedVersion;
#define OUR_CLASS ELFCLASS32
#endif

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#elif defined(__i386__)
#define OUR_MACHINE EM_386
#elif defined(__arm__)
#define OUR_MACHINE EM_ARM
#elif defined(__riscv)
#define OUR_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define OUR_MACHINE EM_PPC64
#elif defined(__s390x__)
#define OUR_MACHINE EM_S390
#else
#error "name the ELF machine of this architecture"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_DATA ELFDATA2LSB
#else
#define OUR_DATA ELFDATA2MSB
#endif

/* Versions libweir.so gives its symbols: WEIR_<major>.<minor>. */
#define LIBWEIR_PREFIX "WEIR_"
#define AGAIN ": install the plugin's package again"
/* What no plugin needs: keeps a hostile file from costing time. */
#define MAX_RECORDS 4096

struct image {
    const unsigned char *data;
    size_t size;
};

static bool fits(const struct image *image, uint64_t offset, uint64_t size)
{
    return offset <= image->size && size <= image->size - offset;
}

/* `size` bytes at `offset` copied to `out`; copies, since nothing in the file need be aligned. */
static bool image_at(const struct image *image, uint64_t offset, void *out, size_t size)
{
    if (!fits(image, offset, size))
        return false;
    memcpy(out, image->data + offset, size);
    return true;
}

/* The string at `offset` of the string table, NULL when it does not end inside it. */
static const char *string_at(const struct image *image, const Section *strings, uint64_t offset)
{
    if (offset >= strings->sh_size || !fits(image, strings->sh_offset, strings->sh_size))
        return NULL;
    const char *start = (const char *)image->data + strings->sh_offset + offset;
    return memchr(start, '\0', strings->sh_size - offset) ? start : NULL;
}

/* The dynamic linker maps segments without asking whether the file is long enough: using a page behind its end is a
 * bus error. */
static int check_segments(const struct image *image, const Header *header, struct weir_error *error)
{
    bool loads = false, dynamic = false;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Segment segment;
        if (header->e_phentsize != sizeof segment ||
            !image_at(image, header->e_phoff + (uint64_t)i * sizeof segment, &segment, sizeof segment) ||
            !fits(image, segment.p_offset, segment.p_filesz) || segment.p_filesz > segment.p_memsz)
            return weir_error_set(error, "is damaged or cut off: its segments do not fit into it" AGAIN);
        loads |= segment.p_type == PT_LOAD;
        dynamic |= segment.p_type == PT_DYNAMIC;
    }
    if (!loads || !dynamic)
        return weir_error_set(error, "is damaged: it has nothing to load" AGAIN);
    return 0;
}

static int check_header(const struct image *image, Header *header, struct weir_error *error)
{
    if (image->size < SELFMAG || memcmp(image->data, ELFMAG, SELFMAG) != 0)
        return weir_error_set(error, "is no shared object (not an ELF file)" AGAIN);
    if (!image_at(image, 0, header, sizeof *header))
        return weir_error_set(error, "is cut off inside its header" AGAIN);
    if (header->e_ident[EI_CLASS] != OUR_CLASS || header->e_ident[EI_DATA] != OUR_DATA ||
        header->e_machine != OUR_MACHINE)
        return weir_error_set(error, "was built for another architecture (ELF machine %u, this one is %u): "
                                     "install the plugin package of this architecture",
                              (unsigned)header->e_machine, (unsigned)OUR_MACHINE);
    if (header->e_type != ET_DYN)
        return weir_error_set(error, "is an ELF file, but no shared object: link it with -shared");
    if (header->e_shentsize != sizeof(Section) || header->e_shnum > MAX_RECORDS ||
        !fits(image, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Section)))
        return weir_error_set(error, "is damaged or cut off: its section table does not fit into it" AGAIN);
    return check_segments(image, header, error);
}

static bool find_section(const struct image *image, const Header *header, uint32_t type, Section *out)
{
    for (unsigned i = 0; i < header->e_shnum; i++) {
        Section section;
        if (!image_at(image, header->e_shoff + (uint64_t)i * sizeof section, &section, sizeof section))
            return false;
        if (section.sh_type == type) {
            *out = section;
            return true;
        }
    }
    return false;
}

static bool linked_strings(const struct image *image, const Header *header, const Section *section,
                           Section *strings)
{
    return section->sh_link < header->e_shnum &&
           image_at(image, header->e_shoff + (uint64_t)section->sh_link * sizeof *strings, strings,
                    sizeof *strings);
}

static bool parse_version(const char *text, unsigned *major, unsigned *minor)
{
    char *end;
    unsigned long a = strtoul(text, &end, 10);
    if (end == text || *end != '.' || a > 0xffff)
        return false;
    char *rest = end + 1;
    unsigned long b = strtoul(rest, &end, 10);
    if (end == rest || b > 0xffff)
        return false;
    *major = (unsigned)a;
    *minor = (unsigned)b;
    return true;
}

static bool newer(const char *needed, unsigned have_major, unsigned have_minor)
{
    unsigned major = 0, minor = 0;
    if (!parse_version(needed, &major, &minor))
        return false;
    return major > have_major || (major == have_major && minor > have_minor);
}

static int check_version(const char *version, struct weir_error *error)
{
    unsigned major = 0, minor = 0;
    if (strncmp(version, "GLIBC_", 6) == 0 && parse_version(gnu_get_libc_version(), &major, &minor) &&
        newer(version + 6, major, minor))
        return weir_error_set(error,
                              "needs C library %s, this system has %s: rebuild the plugin here, or upgrade",
                              version + 6, gnu_get_libc_version());
    if (strncmp(version, LIBWEIR_PREFIX, strlen(LIBWEIR_PREFIX)) == 0 &&
        newer(version + strlen(LIBWEIR_PREFIX), WEIR_ABI_MAJOR, WEIR_ABI_MINOR))
        return weir_error_set(error, "needs libweir %s, this is %d.%d: upgrade weir, or rebuild the plugin",
                              version + strlen(LIBWEIR_PREFIX), WEIR_ABI_MAJOR, WEIR_ABI_MINOR);
    return 0;
}

static int damaged_versions(struct weir_error *error)
{
    return weir_error_set(error, "is damaged: its version records make no sense" AGAIN);
}

static int check_need(const struct image *image, const Section *strings, uint64_t offset, const Need *need,
                      unsigned *budget, struct weir_error *error)
{
    uint64_t at = offset + need->vn_aux;
    for (unsigned i = 0; i < need->vn_cnt; i++) {
        NeedVersion version;
        if ((*budget)-- == 0 || !image_at(image, at, &version, sizeof version))
            return damaged_versions(error);
        const char *name = string_at(image, strings, version.vna_name);
        if (!name)
            return damaged_versions(error);
        if (check_version(name, error) != 0)
            return -1;
        if (version.vna_next == 0)
            break;
        at += version.vna_next;
    }
    return 0;
}

static int check_versions(const struct image *image, const Header *header, struct weir_error *error)
{
    Section section, strings;
    unsigned budget = MAX_RECORDS;
    if (!find_section(image, header, SHT_GNU_verneed, &section))
        return 0;
    if (!linked_strings(image, header, &section, &strings))
        return damaged_versions(error);
    for (uint64_t at = section.sh_offset;;) {
        Need need;
        if (budget-- == 0 || !image_at(image, at, &need, sizeof need))
            return damaged_versions(error);
        if (check_need(image, &strings, at, &need, &budget, error) != 0)
            return -1;
        if (need.vn_next == 0)
            return 0;
        at += need.vn_next;
    }
}

/* Looks for the symbol a plugin is made of, so that other libraries are told apart without being loaded. */
static int check_symbol(const struct image *image, const Header *header, struct weir_error *error)
{
    Section section, strings;
    if (!find_section(image, header, SHT_DYNSYM, &section) ||
        !linked_strings(image, header, &section, &strings))
        return weir_error_set(error, "is damaged: it has no dynamic symbol table" AGAIN);
    uint64_t count = section.sh_size / sizeof(Symbol);
    for (uint64_t i = 0; i < count; i++) {
        Symbol symbol;
        if (!image_at(image, section.sh_offset + i * sizeof symbol, &symbol, sizeof symbol))
            break;
        const char *name = string_at(image, &strings, symbol.st_name);
        if (name && strcmp(name, "weir_component") == 0 && symbol.st_shndx != SHN_UNDEF &&
            (symbol.st_info & 0xf) == STT_OBJECT)
            return 0;
    }
    return weir_error_set(error, "is no weir plugin: it exports no structure named weir_component; remove it from "
                                 "the plugin folder");
}

static int check_image(const struct image *image, struct weir_error *error)
{
    Header header;
    if (check_header(image, &header, error) != 0 || check_versions(image, &header, error) != 0)
        return -1;
    return check_symbol(image, &header, error);
}

static int explain_unopened(const char *path, int errnum, struct weir_error *error)
{
    struct stat status;
    if (errnum == ENOENT && lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
        return weir_error_set(error, "is a symbolic link to a file that does not exist: remove the link, or install "
                                     "what it leads to");
    if (errnum == EACCES)
        return weir_error_set(error, "cannot be read by this user: give it mode 0644 and its folder mode 0755");
    return weir_error_errno(error, errnum, "cannot be opened");
}

int elf_check_plugin(const char *path, struct weir_error *error)
{
    int result = -1;
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return explain_unopened(path, errno, error);
    if (fstat(file, &status) != 0) {
        weir_error_errno(error, errno, "cannot be read");
    } else if (!S_ISREG(status.st_mode)) {
        weir_error_set(error, "is no regular file: remove it from the plugin folder");
    } else if (status.st_size == 0) {
        weir_error_set(error, "is empty" AGAIN);
    } else {
        struct image image = { .size = (size_t)status.st_size };
        void *data = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, file, 0);
        if (data == MAP_FAILED) {
            weir_error_errno(error, errno, "cannot be read");
        } else {
            image.data = data;
            result = check_image(&image, error);
            munmap(data, image.size);
        }
    }
    close(file);
    return result;
}
