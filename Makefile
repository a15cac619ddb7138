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
CXXFLAGS ?= -O2
CFLAGS   ?= -O2
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(CI),-Werror)
HARDEN   := -fPIE -fstack-protector-strong -fcf-protection=full -D_FORTIFY_SOURCE=2
LDHARDEN := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
# What nothing calls is left out of the programs, so that a start maps less.
SECTIONS := -ffunction-sections -fdata-sections
LDSECTIONS := -Wl,--gc-sections
ifneq ($(shell uname -m),x86_64)
HARDEN := $(filter-out -fcf-protection=full,$(HARDEN))
endif
ifeq ($(KIND),sanitized)
CXXFLAGS := -O1 -g1
HARDEN   := -fPIE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDHARDEN := -pie -fsanitize=address,undefined
endif

# libstdc++, libgcc, libm, libseccomp and libcap-ng go into the binary: the dynamic linker's work for them costs more than
# creating the namespaces does. STATIC=no links the shared libraries, where a distribution wants that.
STATIC ?= yes
PKG_CONFIG ?= pkg-config
PACKAGES := libseccomp libcap-ng
ifeq ($(STATIC),yes)
LIBS := -static-libstdc++ -static-libgcc -Wl,-Bstatic $(shell $(PKG_CONFIG) --libs --static $(PACKAGES)) -l:libstdc++.a -l:libm.a -Wl,-Bdynamic \
        -Wl,--as-needed
else
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))
endif
ifeq ($(KIND),sanitized)
LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))
endif
# Shared, in sandboxctl alone. libarchive is opened by what reads an archive: core/image/archive_library.hpp.
IMAGE_LIBS := $(shell $(PKG_CONFIG) --libs nettle zlib) -pthread

CPPFLAGS += -I. -D_GNU_SOURCE \
            -DSANDBOX_VERSION='"$(VERSION)"' -DSANDBOX_DATADIR='"$(datadir)/sandbox"' \
            -DSANDBOX_SYSCONFDIR='"$(sysconfdir)/sandbox"' $(shell $(PKG_CONFIG) --cflags $(PACKAGES))

# One archive a directory; each may use only those to its right. `make check-layers` greps the includes.
LAYERS := cmd image netns core plan base
USES_base  := base
USES_plan  := plan $(USES_base)
USES_core  := core $(USES_plan)
USES_netns := netns $(USES_core)
USES_image := image $(USES_core)
USES_cmd   := cmd $(USES_netns)
# sandboxctl alone looks after images; what that takes must not slow a start down.
USES_sandboxctl := cmd image $(USES_netns)
DIR_base  := core/base
DIR_plan  := core/plan
DIR_core  := core
DIR_image := core/image
DIR_netns := netns
DIR_cmd   := cmd/common

sources = $(wildcard $(1)/*.cpp)
objects = $(patsubst %,$(B)/%.o,$(basename $(1)))
archives = $(USES_$(1):%=$(B)/lib%.a)

PROGRAMS := $(B)/sandbox $(B)/sandboxctl
UNIT     := $(foreach l,$(LAYERS),$(if $(wildcard tests/unit/$(l)/*.cpp),$(B)/unit-$(l)))
PROBES   := $(patsubst tests/run/probes/%.c,$(B)/probes/%,$(wildcard tests/run/probes/*.c))

.PHONY: all
all: $(PROGRAMS) ## Build sandbox and sandboxctl

$(B)/sandbox: $(call objects,$(call sources,cmd/sandbox)) $(call archives,cmd)
$(B)/sandboxctl: $(call objects,$(call sources,cmd/sandboxctl)) $(call archives,sandboxctl)
$(B)/sandboxctl: private LIBS += $(IMAGE_LIBS)
$(PROGRAMS):
	$(CXX) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

define archive
$(B)/lib$(1).a: $(call objects,$(call sources,$(DIR_$(1))))
	rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive,$(l))))

# A stamp that changes with the flags, so that no object of other flags is used.
FLAGS := $(CXX) $(CC) $(CXXFLAGS) $(CFLAGS) $(CPPFLAGS) $(WARNINGS) $(HARDEN) $(SECTIONS) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) $(STATIC)
$(B)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_TEXT" | cmp -s - $@ || printf '%s\n' "$$FLAGS_TEXT" > $@
export FLAGS_TEXT := $(FLAGS)
.PHONY: FORCE
FORCE:

$(B)/%.o: %.cpp $(B)/.flags
	@mkdir -p $(@D)
	$(CXX) -std=c++20 $(CPPFLAGS) $(CXXFLAGS) $(WARNINGS) $(HARDEN) $(SECTIONS) -MMD -MP -c -o $@ $<

$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDEN) $(SECTIONS) -MMD -MP -c -o $@ $<

-include $(shell test -d build && find build -name '*.d')

# --- tests ---

# What several test programs use; an archive, so that each takes only what it needs.
$(B)/libsupport.a: $(call objects,$(filter-out tests/support/count.cpp,$(call sources,tests/support)))
	rm -f $@
	ar rcs $@ $^
COUNT := $(B)/tests/support/count.o

# The unit tests of a layer link that layer and those below it, so the linker proves the layers.
define unit
$(B)/unit-$(1): $(call objects,$(call sources,tests/unit/$(1))) $(COUNT) $(B)/libsupport.a $(call archives,$(1))
	$(CXX) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) -o $$@ $$(filter %.o,$$^) $(B)/libsupport.a $(call archives,$(1)) $(LIBS) \
	    $(if $(filter image,$(1)),$(IMAGE_LIBS))
endef
$(foreach l,$(LAYERS),$(eval $(call unit,$(l))))

# They start the programs of either kind, and are no part of what is sanitized.
RUN_TESTS := build/plain/run-tests
ifeq ($(KIND),plain)
$(RUN_TESTS): $(call objects,$(call sources,tests/run)) $(COUNT) $(B)/libsupport.a
	$(CXX) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(B)/libsupport.a -lutil
else
$(RUN_TESTS): FORCE
	@$(MAKE) KIND=plain $@
endif

WORKSTATION_TESTS := $(B)/workstation-tests
$(WORKSTATION_TESTS): $(call objects,$(call sources,tests/workstation)) $(COUNT) $(B)/libsupport.a
	$(CXX) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(B)/libsupport.a -lutil

# Static, so that they run inside any root, and without sanitizers, which need more of the system than a probe has.
$(B)/probes/%: tests/run/probes/%.c tests/run/probes/answer.h
	@mkdir -p $(@D)
	$(CC) -std=c17 -D_GNU_SOURCE $(CFLAGS) $(WARNINGS) -static -pthread $(PROBE_FLAGS) -o $@ $<
$(B)/probes/bare: private PROBE_FLAGS := -nostdlib -fno-stack-protector

BENCH := $(B)/bench
BENCH_PEER := $(B)/bench-peer
BENCH_TRAFFIC := $(B)/bench-traffic
$(BENCH): $(call objects,$(call sources,tests/bench)) $(B)/libsupport.a $(B)/libbase.a
	$(CXX) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lutil
$(BENCH_PEER): $(call objects,tests/bench/peer.c)
	$(CC) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) -o $@ $^
$(BENCH_TRAFFIC): $(call objects,tests/bench/traffic.c)
	$(CC) $(LDHARDEN) $(LDSECTIONS) $(LDFLAGS) -o $@ $^

# `make check-run TESTS=terminal/*` runs some of the cases.
TESTS ?= *
BOOST_TEST := --catch_system_errors=no --log_level=error --color_output=no
STAGED = sh tests/support/stage.sh $(KIND)
RUN_UNIT = $(foreach u,$(UNIT),"$(notdir $(u))=$(u) $(BOOST_TEST)")
RUN_RUN  = "run=$(STAGED) $(RUN_TESTS) $(BOOST_TEST) --run_test='$(TESTS)'"
RUN_WORKSTATION = "workstation=$(STAGED) sh tests/workstation/suite.sh $(KIND) '$(TESTS)' $(BOOST_TEST)"
RUN_TEXT = "layers=$(MAKE) -s check-layers" "docs=$(STAGED) sh tests/docs.sh"
RUN_ALL  = sh tests/support/run-all.sh
# ASan works through clone into namespaces; LeakSanitizer does not work where ptrace is filtered.
export ASAN_OPTIONS ?= detect_leaks=0:abort_on_error=0:exitcode=99
export UBSAN_OPTIONS ?= print_stacktrace=1

.PHONY: check
check: deps ## Run every test; installs what they need, where something is missing
	@sh tests/support/deps.sh workstation
	@$(MAKE) $(PROGRAMS) $(UNIT) $(RUN_TESTS) $(WORKSTATION_TESTS) $(PROBES)
	@$(RUN_ALL) $(RUN_UNIT) $(RUN_TEXT) $(RUN_WORKSTATION) $(RUN_RUN) "faults=$(STAGED) sh tests/faults.sh"

.PHONY: check-unit
check-unit: $(UNIT) ## Run the unit tests
	@$(RUN_ALL) $(RUN_UNIT)

.PHONY: check-run
check-run: $(PROGRAMS) $(RUN_TESTS) $(PROBES) ## Run the installed program as a real user; TESTS=terminal/* picks some
	@$(RUN_ALL) $(RUN_RUN)

.PHONY: check-faults
check-faults: $(PROGRAMS) $(PROBES) ## Start again and again, with one system call failing at a time
	@$(RUN_ALL) "faults=$(STAGED) sh tests/faults.sh"

# The workstation: a Debian with systemd that is booted under user-mode Linux. What it cannot do is the same everywhere.
.PHONY: check-workstation
check-workstation: $(PROGRAMS) $(RUN_TESTS) $(WORKSTATION_TESTS) $(PROBES) ## Run the run tests, and its own, on a booted workstation; TESTS=terminal/* picks some
	@sh tests/support/deps.sh workstation
	@ALLOWED_SKIPS="$${ALLOWED_SKIPS:-} tests/workstation/allowed-skips" $(RUN_ALL) $(RUN_WORKSTATION)

.PHONY: workstation
workstation: $(PROGRAMS) $(PROBES) ## Boot the workstation, with a shell on it; the programs are in its path
	@sh tests/support/deps.sh workstation
	@$(STAGED) sh -c 'sh tests/workstation/boot.sh --shell --share "$$SANDBOX_TEST_PREFIX"'

# Who may include whom: cmd -> netns -> core -> core/plan -> core/base, and of cmd sandboxctl alone -> core/image
# -> core.
.PHONY: check-layers
check-layers: ## Check that no directory includes one above it
	@! grep -rnE '#include "(cmd|netns|tests)/' core
	@! grep -rnE '#include "core/image/' core --exclude-dir=image
	@! grep -rnE '#include "core/image/' netns cmd/sandbox cmd/common
	@! grep -rnE '#include "(cmd|tests)/' netns
	@! grep -rnE '#include "(tests|cmd/(sandbox|sandboxctl))/' cmd/common
	@! grep -rnE '#include "(tests|cmd/sandboxctl)/' cmd/sandbox
	@! grep -rnE '#include "(tests|cmd/sandbox)/' cmd/sandboxctl
	@! grep -rnE '#include "core/[^/"]+"' core/plan core/base
	@! grep -rnE '#include "core/plan/' core/base

.PHONY: check-docs
check-docs: $(PROGRAMS) ## Check that every option has its man entry and completion, and lint the pages
	@$(RUN_ALL) "docs=$(STAGED) sh tests/docs.sh"

.PHONY: bench
bench: $(PROGRAMS) $(BENCH) $(BENCH_PEER) $(BENCH_TRAFFIC) $(PROBES) ## Measure a start beside the peers'; memory; system calls; networks; layers; runs; reports; images; limits
	@sh tests/support/deps.sh workstation
	@$(STAGED) $(BENCH) $(BENCH_PEER)
	@$(STAGED) $(BENCH) joins
	@$(STAGED) $(BENCH) network $(BENCH_TRAFFIC)
	@$(STAGED) $(BENCH) layers
	@$(STAGED) $(BENCH) runs
	@$(STAGED) $(BENCH) reports
	@$(STAGED) $(BENCH) images
	@$(STAGED) sh tests/workstation/bench.sh $(KIND)

.PHONY: asan
asan: ## Run the unit and run tests under AddressSanitizer and UBSan
	@$(MAKE) KIND=sanitized check-sanitized
.PHONY: sanitized
sanitized: $(PROGRAMS) $(UNIT) $(PROBES)
.PHONY: check-sanitized
check-sanitized: $(PROGRAMS) $(UNIT) $(RUN_TESTS) $(PROBES)
	@$(RUN_ALL) $(RUN_UNIT) $(RUN_RUN)

# libFuzzer is clang's. Each target runs FUZZ_SECONDS on what it has found before, in build/fuzz/found.
FUZZ_SECONDS ?= 30
FUZZ := $(patsubst tests/fuzz/%.cpp,build/fuzz/%,$(wildcard tests/fuzz/*.cpp))
FUZZED := core/remove_tree.cpp $(addprefix core/base/,directory.cpp error.cpp file.cpp fmt_bodies.cpp) $(addprefix core/plan/,image_record.cpp image_reference.cpp) \
          $(addprefix core/image/,document.cpp layer_path.cpp layer_tree.cpp lower_view.cpp manifest.cpp platform.cpp \
          store_files.cpp xattrs.cpp)
FUZZ_OBJECTS := $(FUZZED:%.cpp=build/fuzz/%.o)
build/fuzz/%.o: %.cpp
	@mkdir -p $(@D)
	clang++ -std=c++20 -O1 -g1 $(CPPFLAGS) -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	    -MMD -MP -c -o $@ $<
$(FUZZ): build/fuzz/%: build/fuzz/tests/fuzz/%.o $(FUZZ_OBJECTS)
	clang++ -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $^
.SECONDARY: $(FUZZ_OBJECTS) $(patsubst tests/fuzz/%.cpp,build/fuzz/tests/fuzz/%.o,$(wildcard tests/fuzz/*.cpp))

.PHONY: fuzzers
fuzzers: $(FUZZ)
.PHONY: fuzz
fuzz: $(FUZZ) ## Feed references, manifests, records and layers with libFuzzer's inventions, FUZZ_SECONDS each
	@for target in $(FUZZ); do \
	    name=$${target##*/}; mkdir -p "build/fuzz/found/$$name"; \
	    $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=4096 -print_final_stats=0 -print_funcs=0 -verbosity=0 \
	        -artifact_prefix="build/fuzz/$$name-" "build/fuzz/found/$$name" "tests/fuzz/seeds/$$name" || exit 1; \
	    printf 'fuzz %s: nothing found in %s s\n' "$$name" '$(FUZZ_SECONDS)'; \
	done

OURS = $(shell find cmd core netns tests -name '*.cpp' -o -name '*.hpp' -o -name '*.c' -o -name '*.h')
.PHONY: format
format: ## Lay the sources out as .clang-format says
	clang-format -i $(OURS)

.PHONY: lint
lint: ## Check the layout of the sources, shell scripts and man pages
	@clang-format --dry-run -Werror $(OURS)
	shellcheck .ci/run $(wildcard tests/*.sh tests/support/*.sh tests/workstation/*.sh) tests/workstation/root/usr/local/lib/workstation
	mandoc -Tlint -Wwarning $(wildcard man/*.[0-9])

.PHONY: tidy
tidy: ## Run clang-tidy over the sources
	printf '%s\n' $(filter cmd/% core/% netns/%,$(filter %.cpp,$(OURS))) | \
	    xargs -P "$$(nproc)" -n 2 sh -c 'clang-tidy --quiet "$$@" -- -std=c++20 $(subst ','\'',$(CPPFLAGS))' tidy

.PHONY: deps
deps: ## Install what the build and the tests need (apt-get; sudo where needed)
	@sh tests/support/deps.sh

.PHONY: quickstart
quickstart: deps ## Build, and show a first sandbox
	@$(MAKE) all
	@sh tests/support/stage.sh $(KIND) sh tests/support/quickstart.sh

.PHONY: install
install: all ## Install below $(DESTDIR)$(prefix)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(datadir)/sandbox/profiles
	install -m 0755 $(PROGRAMS) $(DESTDIR)$(bindir)
	install -m 0644 $(wildcard profiles/*.toml) $(DESTDIR)$(datadir)/sandbox/profiles
	$(foreach p,$(wildcard man/*.[0-9]),install -D -m 0644 $(p) \
	    $(DESTDIR)$(mandir)/man$(patsubst .%,%,$(suffix $(p)))/$(notdir $(p)) &&) true
	for program in sandbox sandboxctl; do \
	    for shell in bash:$(bashcompdir)/$$program zsh:$(zshcompdir)/_$$program fish:$(fishcompdir)/$$program.fish; do \
	        target=$(DESTDIR)$${shell#*:}; install -d "$${target%/*}"; \
	        $(B)/sandboxctl completion $${shell%%:*} --for $$program > "$$target" || exit 1; \
	    done; \
	done

.PHONY: uninstall
uninstall: ## Remove what install put there
	rm -f $(addprefix $(DESTDIR)$(bindir)/,sandbox sandboxctl)
	rm -rf $(DESTDIR)$(datadir)/sandbox
	rm -f $(foreach p,$(wildcard man/*.[0-9]),\
	    $(DESTDIR)$(mandir)/man$(patsubst .%,%,$(suffix $(p)))/$(notdir $(p)))
	rm -f $(addprefix $(DESTDIR)$(bashcompdir)/,sandbox sandboxctl) \
	    $(addprefix $(DESTDIR)$(zshcompdir)/_,sandbox sandboxctl) \
	    $(patsubst %,$(DESTDIR)$(fishcompdir)/%.fish,sandbox sandboxctl)

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf build

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | column -t -s '	'
