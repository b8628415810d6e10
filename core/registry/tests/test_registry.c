// SPDX-License-Identifier: Apache-2.0
/*
 * Finding and loading plugins: each file that cannot be one is refused with one sentence that names it.
 *
 * A test lays files into a plugin folder of its own, most of them made from the plugins that evil.c becomes.
 */
#include <config.h>

#include <elf.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/registry/registry.h"
#include "tests/unit/suite.h"

#define FOLDER_LENGTH 64

static char folder[FOLDER_LENGTH];
static char other_folder[FOLDER_LENGTH];

static void make_folder(char *name)
{
    static const char pattern[] = "/tmp/weir-test-registry-XXXXXX";
    memcpy(name, pattern, sizeof pattern);
    ck_assert_ptr_nonnull(mkdtemp(name));
    for (int kind = 0; kind < WEIR_KINDS; kind++) {
        char *path = weir_xasprintf("%s/%s", name, weir_kind_name((enum weir_kind)kind, true));
        ck_assert_int_eq(mkdir(path, 0755), 0);
        free(path);
    }
}

static void remove_folder(const char *name)
{
    char *command = weir_xasprintf("chmod -R u+rwx %s && rm -rf %s", name, name);
    ck_assert_int_eq(system(command), 0);
    free(command);
}

static void set_up(void)
{
    make_folder(folder);
    make_folder(other_folder);
    unsetenv("WEIR_PLUGIN_PATH");
}

static void tear_down(void)
{
    remove_folder(folder);
    remove_folder(other_folder);
}

static char *read_file(const char *path, size_t *size)
{
    struct stat status;
    int file = open(path, O_RDONLY);
    ck_assert_msg(file >= 0, "no %s", path);
    ck_assert_int_eq(fstat(file, &status), 0);
    *size = (size_t)status.st_size;
    char *data = weir_xmalloc(*size);
    ck_assert_int_eq(read(file, data, *size), (ssize_t)*size);
    close(file);
    return data;
}

static void write_file(const char *path, const void *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, data, size), (ssize_t)size);
    close(file);
}

/* The plugin that evil.c becomes with this macro. */
static char *evil(const char *name, size_t *size)
{
    const char *top = getenv("abs_top_builddir");
    char *path = weir_xasprintf("%s/core/registry/tests/evil/%s.so", top ? top : ".", name);
    char *data = read_file(path, size);
    free(path);
    return data;
}

static char *exporter_path(const char *dir, const char *name)
{
    return weir_xasprintf("%s/exporters/%s.so", dir, name);
}

static void put(const char *name, const void *data, size_t size)
{
    char *path = exporter_path(folder, name);
    write_file(path, data, size);
    free(path);
}

static void put_evil(const char *name, const char *as)
{
    size_t size;
    char *data = evil(name, &size);
    put(as, data, size);
    free(data);
}

static const struct weir_component *find_in(const char *const *dirs, size_t count, const char *type, char **message)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct registry *registry = registry_new(dirs, count);
    const struct weir_component *component = registry_find(registry, WEIR_EXPORTER, type, &error);
    *message = component ? NULL : weir_xstrdup(weir_error_text(&error));
    weir_error_free(&error);
    registry_free(registry);
    return component;
}

static const struct weir_component *find(const char *type, char **message)
{
    const char *dirs[] = { folder };
    return find_in(dirs, 1, type, message);
}

/* Looking up exporters/x.so gives "<path>: <expected>", where `expected` is a pattern. */
static void expect_refusal(const char *expected)
{
    char *message;
    ck_assert_ptr_null(find("x", &message));
    ck_assert_msg(!strchr(message, '\n'), "more than one line: %s", message);
    char *path = weir_xasprintf("%s/exporters/x.so: ", folder);
    ck_assert_msg(strncmp(message, path, strlen(path)) == 0, "does not start with %s: %s", path, message);
    const char *said = message + strlen(path);
    ck_assert_msg(fnmatch(expected, said, 0) == 0, "said \"%s\", expected \"%s\"", said, expected);
    free(path);
    free(message);
}

#define AGAIN ": install the plugin's package again"

START_TEST(finds_a_plugin)
{
    char *message;
    put_evil("good", "good");
    const struct weir_component *component = find("good", &message);
    ck_assert_msg(component != NULL, "%s", message ? message : "");
    ck_assert_str_eq(component->type, "good");
    ck_assert_int_eq(component->kind, WEIR_EXPORTER);
    ck_assert_ptr_eq(find("good", &message), component);
}
END_TEST

/* What a plugin of an older minor version does not have is zero, whatever lies behind its structure. */
START_TEST(completes_a_shorter_structure)
{
    char *message;
    put_evil("short", "short");
    const struct weir_component *component = find("short", &message);
    ck_assert_ptr_nonnull(component);
    ck_assert_ptr_nonnull(component->consume);
    ck_assert(component->ready == NULL);
}
END_TEST

START_TEST(finds_by_alias)
{
    char *message;
    put_evil("alias", "new_name");
    char *link = exporter_path(folder, "old_name");
    ck_assert_int_eq(symlink("new_name.so", link), 0);
    free(link);
    const struct weir_component *component = find("old_name", &message);
    ck_assert_ptr_nonnull(component);
    ck_assert_str_eq(component->type, "new_name");
}
END_TEST

START_TEST(names_what_is_missing)
{
    char *message;
    put("goat", "", 0);
    put("zebra", "", 0);
    ck_assert_ptr_null(find("goad", &message));
    char *expected = weir_xasprintf("unknown type: \"goad\" (valid values: [goat zebra]); did you mean \"goat\"?; a "
                                    "plugin is the file exporters/goad.so in %s or %s, from the Debian package "
                                    "weir-exporter-goad",
                                    folder, WEIR_PLUGIN_DIR);
    ck_assert_str_eq(message, expected);
    free(expected);
    free(message);
}
END_TEST

START_TEST(two_with_one_name)
{
    char *message;
    put_evil("good", "good");
    char *from = exporter_path(folder, "good"), *to = exporter_path(other_folder, "good");
    size_t size;
    char *data = read_file(from, &size);
    write_file(to, data, size);
    const char *dirs[] = { folder, other_folder };
    ck_assert_ptr_null(find_in(dirs, 2, "good", &message));
    char *expected =
        weir_xasprintf("there are two plugins for the exporter \"good\": %s and %s; remove one", from, to);
    ck_assert_str_eq(message, expected);
    free(expected);
    free(message);
    /* The same file by two ways is one plugin. */
    ck_assert_int_eq(unlink(to), 0);
    ck_assert_int_eq(symlink(from, to), 0);
    ck_assert_ptr_nonnull(find_in(dirs, 2, "good", &message));
    free(data);
    free(from);
    free(to);
}
END_TEST

START_TEST(plugin_path_of_the_environment)
{
    char *message;
    put_evil("good", "good");
    char *path = weir_xasprintf("%s::%s", other_folder, folder);
    setenv("WEIR_PLUGIN_PATH", path, 1);
    ck_assert_ptr_nonnull(find_in(NULL, 0, "good", &message));
    free(path);
}
END_TEST

START_TEST(script)
{
    put("x", "#!/bin/sh\nexit 0\n", 17);
    expect_refusal("is no shared object (not an ELF file)" AGAIN);
}
END_TEST

START_TEST(three_bytes)
{
    put("x", "\x7f" "EL", 3);
    expect_refusal("is no shared object (not an ELF file)" AGAIN);
}
END_TEST

START_TEST(empty)
{
    put("x", "", 0);
    expect_refusal("is empty" AGAIN);
}
END_TEST

static void put_cut(size_t size)
{
    size_t whole;
    char *data = evil("good", &whole);
    ck_assert_uint_lt(size, whole);
    put("x", data, size);
    free(data);
}

START_TEST(cut_in_header)
{
    put_cut(40);
    expect_refusal("is cut off inside its header" AGAIN);
}
END_TEST

START_TEST(cut_behind_header)
{
    put_cut(sizeof(ElfW(Ehdr)));
    expect_refusal("is damaged or cut off: its section table does not fit into it" AGAIN);
}
END_TEST

START_TEST(cut_before_end)
{
    size_t whole;
    free(evil("good", &whole));
    put_cut(whole - 1);
    expect_refusal("is damaged or cut off: its section table does not fit into it" AGAIN);
}
END_TEST

/* The good plugin with its header changed by `change`. */
static void put_changed(void (*change)(ElfW(Ehdr) *header, char *data))
{
    size_t size;
    char *data = evil("good", &size);
    ElfW(Ehdr) header;
    memcpy(&header, data, sizeof header);
    change(&header, data);
    memcpy(data, &header, sizeof header);
    put("x", data, size);
    free(data);
}

static void set_machine(ElfW(Ehdr) *header, char *data)
{
    (void)data;
    header->e_machine = EM_ALPHA;
}

START_TEST(other_machine)
{
    put_changed(set_machine);
    expect_refusal("was built for another architecture (ELF machine 36902, this one is *): install the plugin package "
                   "of this architecture");
}
END_TEST

static void set_class(ElfW(Ehdr) *header, char *data)
{
    (void)data;
    header->e_ident[EI_CLASS] = header->e_ident[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
}

START_TEST(other_class)
{
    put_changed(set_class);
    expect_refusal("was built for another architecture (*): install the plugin package of this architecture");
}
END_TEST

static void set_byte_order(ElfW(Ehdr) *header, char *data)
{
    (void)data;
    header->e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
}

START_TEST(other_byte_order)
{
    put_changed(set_byte_order);
    expect_refusal("was built for another architecture (*): install the plugin package of this architecture");
}
END_TEST

START_TEST(program)
{
    put_evil("program", "x");
    expect_refusal("is an ELF file, but no shared object: link it with -shared");
}
END_TEST

static void move_sections(ElfW(Ehdr) *header, char *data)
{
    (void)data;
    header->e_shoff = UINT32_MAX;
}

START_TEST(section_table_outside)
{
    put_changed(move_sections);
    expect_refusal("is damaged or cut off: its section table does not fit into it" AGAIN);
}
END_TEST

static void many_sections(ElfW(Ehdr) *header, char *data)
{
    (void)data;
    header->e_shnum = 65000;
}

START_TEST(too_many_sections)
{
    put_changed(many_sections);
    expect_refusal("is damaged or cut off: its section table does not fit into it" AGAIN);
}
END_TEST

static void no_sections(ElfW(Ehdr) *header, char *data)
{
    (void)data;
    header->e_shnum = 0;
}

START_TEST(no_section_table)
{
    put_changed(no_sections);
    expect_refusal("is damaged: it has no dynamic symbol table" AGAIN);
}
END_TEST

/* Such a segment is mapped without an error, and touching it is a bus error. */
static void stretch_segment(ElfW(Ehdr) *header, char *data)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        char *at = data + header->e_phoff + i * sizeof segment;
        memcpy(&segment, at, sizeof segment);
        if (segment.p_type != PT_LOAD)
            continue;
        segment.p_offset += 1 << 24;
        memcpy(at, &segment, sizeof segment);
    }
}

START_TEST(segments_outside)
{
    put_changed(stretch_segment);
    expect_refusal("is damaged or cut off: its segments do not fit into it" AGAIN);
}
END_TEST

static void no_segments(ElfW(Ehdr) *header, char *data)
{
    (void)data;
    header->e_phnum = 0;
}

START_TEST(nothing_to_load)
{
    put_changed(no_segments);
    expect_refusal("is damaged: it has nothing to load" AGAIN);
}
END_TEST

/* Every `type` section made to start far behind the end of the file. */
static uint32_t moved_type;

static void move_section(ElfW(Ehdr) *header, char *data)
{
    unsigned moved = 0;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        ElfW(Shdr) section;
        char *at = data + header->e_shoff + i * sizeof section;
        memcpy(&section, at, sizeof section);
        if (section.sh_type != moved_type)
            continue;
        section.sh_offset = (ElfW(Off))-16;
        memcpy(at, &section, sizeof section);
        moved++;
    }
    ck_assert_uint_eq(moved, 1);
}

START_TEST(version_records_outside)
{
    moved_type = SHT_GNU_verneed;
    put_changed(move_section);
    expect_refusal("is damaged: its version records make no sense" AGAIN);
}
END_TEST

START_TEST(symbols_outside)
{
    moved_type = SHT_DYNSYM;
    put_changed(move_section);
    expect_refusal("is no weir plugin: it exports no structure named weir_component; remove it from the plugin "
                   "folder");
}
END_TEST

/* Replaces a text that is part of the names of symbol versions, in the string table. */
static void put_with_version(const char *old, const char *new)
{
    size_t size, length = strlen(old);
    char *data = evil("good", &size);
    bool changed = false;
    ck_assert_uint_eq(strlen(new), length);
    for (char *at = data; at + length < data + size; at++)
        if (memcmp(at, old, length) == 0) {
            memcpy(at, new, length);
            changed = true;
        }
    ck_assert_msg(changed, "the good plugin does not need %s", old);
    put("x", data, size);
    free(data);
}

START_TEST(newer_c_library)
{
    put_with_version("GLIBC_2.", "GLIBC_9.");
    char *expected = weir_xasprintf("needs C library 9.*, this system has %s: rebuild the plugin here, or upgrade",
                                    gnu_get_libc_version());
    expect_refusal(expected);
    free(expected);
}
END_TEST

/* Fails, too, when libweir.map stops giving the version node that the check looks for. */
START_TEST(newer_libweir)
{
    put_with_version("WEIR_1.0", "WEIR_1.9");
    expect_refusal("needs libweir 1.9, this is 1.0: upgrade weir, or rebuild the plugin");
}
END_TEST

START_TEST(unknown_libweir_version)
{
    put_with_version("WEIR_1.0", "WEIR_1.x");
    expect_refusal("cannot be loaded: *: install what it needs, or rebuild it for this weir");
}
END_TEST

static const struct {
    const char *name;
    const char *expected;
} evils[] = {
    { "wrong_kind", "is a plugin of the wrong kind: it holds the processor \"x\", and belongs into the folder "
                    "processors" },
    { "no_kind", "says it is of kind 77, which does not exist: rebuild it" },
    { "other_type", "holds the exporter \"something_else\", not \"x\": a plugin file is named for its type" },
    { "abi_major", "was built for plugin ABI 2.0, this weir has 1.0: rebuild it" },
    { "abi_minor", "was built for plugin ABI 1.1, this weir has 1.0: upgrade weir" },
    { "struct_large", "says its component structure has * bytes, this weir's has *: rebuild it" },
    { "struct_beyond", "says its component structure has 4294967295 bytes, this weir's has *: rebuild it" },
    { "struct_small", "says its component structure has 4 bytes, this weir's has *: rebuild it" },
    { "no_symbol", "is no weir plugin: it exports no structure named weir_component; remove it from the plugin "
                   "folder" },
    { "function", "is no weir plugin: it exports no structure named weir_component; remove it from the plugin "
                  "folder" },
    { "tiny", "is no weir plugin: its weir_component has 1 bytes; build it with <weir/component.h>" },
    { "undefined", "cannot be loaded: undefined symbol: evil_nowhere: install what it needs, or rebuild it for this "
                   "weir" },
    { "no_create", "is incomplete: its author must add the function create" },
    { "no_consume", "is incomplete: it takes telemetry, so its author must add the function consume" },
    { "no_version", "is incomplete: its author must set type, version and summary" },
    { "bad_table", "has an option table that its author must correct: *" },
};

START_TEST(built_wrong)
{
    put_evil(evils[_i].name, "x");
    expect_refusal(evils[_i].expected);
}
END_TEST

START_TEST(folder_named_so)
{
    char *path = exporter_path(folder, "x");
    ck_assert_int_eq(mkdir(path, 0755), 0);
    free(path);
    expect_refusal("is no regular file: remove it from the plugin folder");
}
END_TEST

/* Opening a pipe without a writer must not wait for one. */
START_TEST(pipe_named_so)
{
    char *path = exporter_path(folder, "x");
    ck_assert_int_eq(mkfifo(path, 0644), 0);
    free(path);
    expect_refusal("is no regular file: remove it from the plugin folder");
}
END_TEST

START_TEST(unreadable)
{
    put_evil("good", "x");
    char *path = exporter_path(folder, "x");
    ck_assert_int_eq(chmod(path, 0), 0);
    bool can_read_all = access(path, R_OK) == 0;
    free(path);
    expect_refusal(can_read_all ? "holds the exporter \"good\", not \"x\": a plugin file is named for its type"
                                : "cannot be read by this user: give it mode 0644 and its folder mode 0755");
}
END_TEST

START_TEST(link_to_nothing)
{
    char *path = exporter_path(folder, "x");
    ck_assert_int_eq(symlink("gone.so", path), 0);
    free(path);
    expect_refusal("is a symbolic link to a file that does not exist: remove the link, or install what it leads to");
}
END_TEST

START_TEST(link_to_itself)
{
    char *path = exporter_path(folder, "x");
    ck_assert_int_eq(symlink("x.so", path), 0);
    free(path);
    expect_refusal("cannot be opened: Too many levels of symbolic links");
}
END_TEST

static void add_listing(const struct registry_listing *listing, void *argument)
{
    weir_text_addf(argument, "%s %s %s\n", weir_kind_name(listing->kind, false), listing->name,
                   listing->component ? listing->component->type : "-");
}

START_TEST(lists_all_but_links)
{
    put_evil("good", "good");
    put_evil("alias", "new_name");
    put("broken", "", 0);
    char *link = exporter_path(folder, "old_name");
    ck_assert_int_eq(symlink("new_name.so", link), 0);
    free(link);
    const char *dirs[] = { folder };
    struct weir_text text = { 0 };
    struct registry *registry = registry_new(dirs, 1);
    registry_list(registry, add_listing, &text);
    ck_assert_str_eq(weir_text_string(&text), "exporter broken -\nexporter good good\nexporter new_name new_name\n");
    weir_text_free(&text);
    registry_free(registry);
}
END_TEST

static TCase *make_evil_case(void)
{
    TCase *evil_case = tcase_create("evil");
    tcase_add_checked_fixture(evil_case, set_up, tear_down);
    tcase_add_loop_test(evil_case, built_wrong, 0, WEIR_ARRAY_LENGTH(evils));
    const TTest *tests[] = { script,
                             three_bytes,
                             empty,
                             cut_in_header,
                             cut_behind_header,
                             cut_before_end,
                             other_machine,
                             other_class,
                             other_byte_order,
                             program,
                             section_table_outside,
                             too_many_sections,
                             no_section_table,
                             segments_outside,
                             nothing_to_load,
                             version_records_outside,
                             symbols_outside,
                             newer_c_library,
                             newer_libweir,
                             unknown_libweir_version,
                             folder_named_so,
                             pipe_named_so,
                             unreadable,
                             link_to_nothing,
                             link_to_itself };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(tests); i++)
        tcase_add_test(evil_case, tests[i]);
    return evil_case;
}

static Suite *make_suite(void)
{
    Suite *suite = suite_create("registry");
    TCase *find_case = tcase_create("find");
    tcase_add_checked_fixture(find_case, set_up, tear_down);
    tcase_add_test(find_case, finds_a_plugin);
    tcase_add_test(find_case, completes_a_shorter_structure);
    tcase_add_test(find_case, finds_by_alias);
    tcase_add_test(find_case, names_what_is_missing);
    tcase_add_test(find_case, two_with_one_name);
    tcase_add_test(find_case, plugin_path_of_the_environment);
    tcase_add_test(find_case, lists_all_but_links);
    suite_add_tcase(suite, find_case);
    suite_add_tcase(suite, make_evil_case());
    return suite;
}

int main(void)
{
    return run_suite(make_suite());
}
