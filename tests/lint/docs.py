# SPDX-License-Identifier: Apache-2.0
"""Documents: what is generated is up to date, links lead somewhere, messages that are quoted exist."""

import os
import re
import subprocess
import sys

import sourcetree

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
# Words of a message of this length are looked for in the source; ... in a quotation stands for any text.
WORDS_MIN = 4


def markdown():
    return [name for name in sourcetree.files() if name.endswith(".md")]


def without_code(text):
    return re.sub(r"^```.*?^```|`[^`\n]*`", sourcetree.blank, text, flags=re.MULTILINE | re.DOTALL)


def check_links(name, text):
    folder = os.path.dirname(name)
    plain = without_code(text)
    for match in LINK.finditer(plain):
        target = match.group(1)
        if re.match(r"[a-z]+:", target):
            continue
        if not os.path.exists(os.path.join(sourcetree.TOP, folder, target)):
            sourcetree.report(name, plain.count("\n", 0, match.start()) + 1, f"the link {target} leads nowhere")


def literals():
    """All text between quotes in the C sources, neighbours joined, as the compiler does."""
    found = []
    for name in sourcetree.files():
        if name.endswith((".c", ".h")) and "/tests/" not in name:
            text = sourcetree.read(name)
            joined = re.sub(r'"[ \t]*\\?\n?[ \t]*(?:PRI\w+|NAME|PATH)?[ \t]*\\?\n?[ \t]*"', "", text)
            found.append(joined.replace('\\"', '"').replace("%%", "%"))
    return "\n".join(found)


def check_messages(name, text, source):
    """Headings of the page begin with messages: each part between ... has to be in the source."""
    for number, line in enumerate(text.splitlines(), 1):
        for message in re.findall(r"^### `([^`]+)`", line):
            parts = [part.strip() for part in message.split("...")]
            parts = [part for part in parts if len(part) >= WORDS_MIN]
            if not parts:
                sourcetree.report(name, number, f"nothing to look for in: {message}")
            for part in parts:
                if part not in source:
                    sourcetree.report(name, number, f"no message of weir: {part}")


def check_generated():
    """Whether the generated pages are those of the plugins that were built; needs all of them and python3-yaml."""
    done = subprocess.run([sys.executable, os.path.join(sourcetree.TOP, "tools", "make-docs"), "--check"],
                          capture_output=True, text=True)
    if done.returncode == 77:
        print(done.stdout, end="")
    elif done.returncode:
        sourcetree.report("docs", 0, (done.stdout + done.stderr).strip())


def main():
    source = literals()
    for name in markdown():
        text = sourcetree.read(name)
        check_links(name, text)
        if name == "docs/user/troubleshoot.md":
            check_messages(name, text, source)
    check_generated()
    sourcetree.finish()


main()
