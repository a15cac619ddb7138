# sandbox: a rootless sandbox for developers. `make help` lists the targets.

VERSION := 0.1.0

# Where things are installed; DESTDIR stages them elsewhere (GNU standards).
prefix     ?= /usr/local
bindir     ?= $(prefix)/bin
datadir    ?= $(prefix)/share
mandir     ?= $(datadir)/man
sysconfdir ?= /etc
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir  ?= $(datadir)/zsh/site-functions
fishcompdir ?= $(datadir)/fish/vendor_completions.d

# KIND=plain is what users get; KIND=sanitized is the same code under AddressSanitizer and UBSan.
KIND ?= plain
B    := build/$(KIND)

CXX      ?= g++
CC       ?= gcc
CXXFLAGS ?= -O2 -g
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(CI),-Werror)
HARDEN   := -fPIE -fstack-protector-strong -fcf-protection=full -D_FORTIFY_SOURCE=2
LDHARDEN := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
ifneq ($(shell uname -m),x86_64)
HARDEN := $(filter-out -fcf-protection=full,$(HARDEN))
endif
ifeq ($(KIND),sanitized)
HARDEN   := -fPIE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARDEN := -pie -fsanitize=address,undefined
endif

# libstdc++, libgcc, libseccomp and libcap-ng go into the binary: the dynamic linker's work for them costs more than
# creating the namespaces does. STATIC=no links the shared libraries, where a distribution wants that.
STATIC ?= yes
PKG_CONFIG ?= pkg-config
PACKAGES := libseccomp libcap-ng
ifeq ($(STATIC),yes)
LIBS := -static-libstdc++ -static-libgcc -Wl,-Bstatic $(shell $(PKG_CONFIG) --libs --static $(PACKAGES)) -Wl,-Bdynamic
else
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))
endif
ifeq ($(KIND),sanitized)
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))
endif

CPPFLAGS += -I. -DFMT_HEADER_ONLY=1 -D_GNU_SOURCE \
            -DSANDBOX_VERSION='"$(VERSION)"' -DSANDBOX_DATADIR='"$(datadir)/sandbox"' \
            -DSANDBOX_SYSCONFDIR='"$(sysconfdir)/sandbox"' $(shell $(PKG_CONFIG) --cflags $(PACKAGES))

# One archive a folder; each may use only those to its right. `make check-layers` greps the includes.
LAYERS := cmd netns core plan base
DIR_base  := core/base
DIR_plan  := core/plan
DIR_core  := core
DIR_netns := netns
DIR_cmd   := cmd/common

sources = $(wildcard $(1)/*.cpp)
objects = $(patsubst %,$(B)/%.o,$(basename $(1)))
ARCHIVES := $(LAYERS:%=$(B)/lib%.a)
# The archives from layer $(1) down to the base.
below = $(shell echo "$(ARCHIVES)" | sed 's|.*\($(B)/lib$(1)\.a\)|\1|')

PROGRAMS := $(B)/sandbox $(B)/sandboxctl
UNIT     := $(foreach l,$(LAYERS),$(if $(wildcard tests/unit/$(l)/*.cpp),$(B)/unit-$(l)))
PROBES   := $(patsubst tests/run/probes/%.c,$(B)/probes/%,$(wildcard tests/run/probes/*.c))

.PHONY: all
all: $(PROGRAMS) ## Build sandbox and sandboxctl

$(B)/sandbox: $(call objects,$(call sources,cmd/sandbox)) $(ARCHIVES)
$(B)/sandboxctl: $(call objects,$(call sources,cmd/sandboxctl)) $(ARCHIVES)
$(PROGRAMS):
	$(CXX) $(LDHARDEN) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

define archive
$(B)/lib$(1).a: $(call objects,$(call sources,$(DIR_$(1))))
	rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive,$(l))))

# A stamp that changes with the flags, so that no object of other flags is used.
FLAGS := $(CXX) $(CXXFLAGS) $(CPPFLAGS) $(WARNINGS) $(HARDEN) $(STATIC)
$(B)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_TEXT" | cmp -s - $@ || printf '%s\n' "$$FLAGS_TEXT" > $@
export FLAGS_TEXT := $(FLAGS)
.PHONY: FORCE
FORCE:

$(B)/%.o: %.cpp $(B)/.flags
	@mkdir -p $(@D)
	$(CXX) -std=c++20 $(CPPFLAGS) $(CXXFLAGS) $(WARNINGS) $(HARDEN) -MMD -MP -c -o $@ $<

$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDEN) -MMD -MP -c -o $@ $<

-include $(shell test -d build && find build -name '*.d')

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf build

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | column -t -s '	'
