// SPDX-License-Identifier: Apache-2.0
/*
 * The weir executable.
 */
#include <config.h>

#include "core/cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
