#!/bin/sh
# Sourced: a make that is started below cannot use the jobserver of the make above (no "+" in its rule), and would warn.
MAKEFLAGS=$(printf '%s' "${MAKEFLAGS:-}" | sed 's/ *--jobserver-[a-z]*=[^ ]*//g; s/ *-j[0-9]*//g')
export MAKEFLAGS
