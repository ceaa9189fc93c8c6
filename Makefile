# SPDX-License-Identifier: Apache-2.0
#
# make            the programs, into build/bin
# make demo       the whole line on bundled text, from a crawl to a verdict
# make test       unit, command-line and golden tests; ends `N passed, N failed`
# make fuzz       every fuzz driver for FUZZ_SECONDS=60, with sanitizers
# make lint       floors, includes, warnings as errors, formatting
# make bench      side-by-side timings against peers that are present
# make install    PREFIX=/usr/local DESTDIR=
# make deps       the Debian packages that the build needs

VERSION = 0.1.0
BUILD   = build
PREFIX  = /usr/local
DESTDIR =

CC      ?= cc
OPT     = -O2 -g
WARN    = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
          -Wpointer-arith -Wvla -Wno-missing-field-initializers -Wno-psabi
# Contraction is off so that plain C gives the same bits on every machine;
# kernels ask for fused multiply-adds where they want them.
CFLAGS_ALL = -std=gnu11 -D_GNU_SOURCE -DOYSTER_VERSION='"$(VERSION)"' -I. \
             -fno-math-errno -ffp-contract=off -pthread $(OPT) $(WARN) $(CFLAGS)
LIBS    = -lzstd -lz -llzma -lbz2 -larchive -lpcre2-8 -lcjson -lpsl -lm -ldl -pthread \
          -Wl,--as-needed -licuuc -lcurl -luchardet

PACKAGES = build-essential libzstd-dev zlib1g-dev liblzma-dev libbz2-dev \
           libarchive-dev libpcre2-dev libcjson-dev libxxhash-dev \
           libpsl-dev libicu-dev libcurl4-openssl-dev libuchardet-dev \
           libopenblas0-pthread libcmocka-dev zstd python3-jieba bubblewrap

# How many compilers the targets that build for themselves start at once.
JOBS    = $(shell nproc)
SUBMAKE = $(MAKE) -s -j$(JOBS) --no-print-directory

FLOORS  = core tokenizer pipeline model eval
SOURCES = $(wildcard $(addsuffix /*.c,$(FLOORS)))
MAINS   = $(filter %_main.c,$(SOURCES))
PARTS   = $(filter-out %_main.c,$(SOURCES))
PROGRAMS = $(patsubst %_main.c,$(BUILD)/bin/oy-%,$(notdir $(MAINS)))
TESTS   = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test_*.c))

.PHONY: all deps demo fuzz test test-slow test-peers lint bench install man clean unit
.SECONDARY:

all: $(PROGRAMS)

# Each program links the archive of everything; the linker takes what it uses.
# Floors are kept by lint, not by archives.
$(BUILD)/liboyster.a: $(PARTS:%.c=$(BUILD)/obj/%.o)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

define program
$(BUILD)/bin/oy-$(patsubst %_main.c,%,$(notdir $(1))): $(BUILD)/obj/$(1:.c=.o) $(BUILD)/liboyster.a
	@mkdir -p $$(@D)
	@echo "  LINK  $$(notdir $$@)"
	@$$(CC) $$(CFLAGS_ALL) $$(LDFLAGS) -o $$@ $$< $(BUILD)/liboyster.a $$(LIBS)
endef
$(foreach m,$(MAINS),$(eval $(call program,$(m))))

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/liboyster.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/liboyster.a -lcmocka $(LIBS)

# What rules do is counted, not timed (tests/count/test_linear.c): made in
# BUILD/count, where every basic block calls a counter.
COUNTED = memchr memrchr memmem memcpy memmove memset memcmp strlen
$(BUILD)/unit/test_linear: tests/count/test_linear.c $(BUILD)/liboyster.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS) $(COUNTED:%=-Wl,--wrap=%) -o $@ $< \
	    $(BUILD)/liboyster.a -lcmocka $(LIBS)

COUNT = $(SUBMAKE) BUILD=$(BUILD)/count OPT='-O1 -g' FLOORS='core pipeline' \
        CFLAGS='-fsanitize-coverage=trace-pc' $(BUILD)/count/unit/test_linear

unit: $(TESTS)
	@tests/run.sh $(BUILD) unit/

# Missing packages are installed by apt-get when that is possible here, else
# the line to run is printed. The probe is one compile.
deps:
	@printf '%s\n' '#include <zstd.h>' '#include <zlib.h>' '#include <lzma.h>' \
	    '#include <bzlib.h>' '#include <archive.h>' '#include <xxhash.h>' \
	    '#define PCRE2_CODE_UNIT_WIDTH 8' '#include <pcre2.h>' \
	    '#include <cjson/cJSON.h>' '#include <libpsl.h>' \
	    '#include <unicode/ubrk.h>' '#include <curl/curl.h>' \
	    '#include <uchardet/uchardet.h>' \
	    'int main(void) { return 0; }' | \
	$(CC) -xc - -o /dev/null $(LIBS) 2>/dev/null && $(DEPS_MORE) || \
	$(SUBMAKE) install-deps

DEPS_MORE = ls /usr/lib/*/libopenblas*.so.0 /usr/lib/*/*/libopenblas*.so.0 \
            >/dev/null 2>&1 && \
            ls /usr/lib/python3/dist-packages/jieba/dict.txt >/dev/null 2>&1

install-deps:
	@if [ "$$(id -u)" = 0 ]; then SUDO=; \
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then SUDO=sudo; \
	else echo 'run this once as root, then try again:'; \
	    echo '  apt-get install -y $(PACKAGES)'; exit 1; fi; \
	echo '  APT   $(PACKAGES)'; \
	$$SUDO env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends $(PACKAGES)' >/dev/null

# Everything: the suites with the plain build, then the parsers and the core
# again under AddressSanitizer and UndefinedBehaviorSanitizer.
test: deps
	@$(SUBMAKE) all $(TESTS)
	@$(SUBMAKE) BUILD=$(BUILD)/asan OPT='-O1 -g' CFLAGS='$(SANITIZE)' \
	    $(SANITIZED:%=$(BUILD)/asan/unit/%)
	@$(COUNT)
	@tests/run.sh $(BUILD)

SANITIZE  = -fsanitize=address,undefined -fno-sanitize-recover=all
# What meets foreign bytes: each runs once more with sanitizers.
SANITIZED = $(filter-out $(UNSANITIZED),$(notdir $(TESTS)))
UNSANITIZED =

# Threads under ThreadSanitizer, a hundred kills, the long goldens.
THREADED = filter pool input output source engine gemm tree generate batch \
           decoder mixed \
           word_count minhash regex pretokenizer decode
test-slow: deps
	@$(SUBMAKE) all $(TESTS)
	@$(SUBMAKE) BUILD=$(BUILD)/tsan OPT='-O1 -g' CFLAGS='-fsanitize=thread' \
	    $(THREADED:%=$(BUILD)/tsan/unit/test_%)
	@OYSTER_SLOW=1 tests/run.sh $(BUILD)

# Against the peers themselves: needs $$OYSTER_PEERS, a Python that has them.
test-peers: all
	@tests/peers/run.sh $(BUILD)

FUZZ_SECONDS = 60
FUZZERS = $(patsubst tests/fuzz/fuzz_%.c,%,\
            $(filter-out %/fuzz_loop.c,$(wildcard tests/fuzz/fuzz_*.c)))
fuzz: deps
	@$(SUBMAKE) BUILD=$(BUILD)/asan OPT='-O1 -g' CFLAGS='$(SANITIZE)' \
	    $(FUZZERS:%=$(BUILD)/asan/fuzz/fuzz_%)
	@tests/fuzz/run.sh $(BUILD)/asan $(FUZZ_SECONDS) $(FUZZERS)

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/fuzz_loop.c $(BUILD)/liboyster.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $(filter %.c,$^) $(BUILD)/liboyster.a $(LIBS)

lint:
	@$(SUBMAKE) BUILD=$(BUILD)/lint WARN='$(WARN) -Werror' all
	@tests/lint.sh

bench: all $(addprefix $(BUILD)/bench/,encode_bench decode_bench panel_bench gemm_bench)
	@benchmarks/speed/run.py --build $(BUILD)
	@benchmarks/speed/encode.py --build $(BUILD)
	@benchmarks/speed/decode.py --build $(BUILD)
	@benchmarks/speed/train.py --build $(BUILD)
	@$(BUILD)/bench/panel_bench
	@$(BUILD)/bench/gemm_bench

$(BUILD)/bench/%: benchmarks/speed/%.c $(BUILD)/liboyster.a
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/liboyster.a $(LIBS)

demo: deps
	@$(SUBMAKE) all
	@manifests/demo/run.sh $(BUILD)

# Pages and completions are printed by the programs themselves, out of the
# table that parses their options.
man: all
	@mkdir -p $(BUILD)/man $(BUILD)/completion
	@for p in $(notdir $(PROGRAMS)); do \
	    $(BUILD)/bin/$$p --print-man >$(BUILD)/man/$$p.1 && \
	    $(BUILD)/bin/$$p --print-completion >$(BUILD)/completion/$$p || exit 1; \
	done

SHARE = $(DESTDIR)$(PREFIX)/share
install: man
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 \
	    $(SHARE)/bash-completion/completions
	install $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(BUILD)/man/*.1 $(SHARE)/man/man1
	install -m 644 $(BUILD)/completion/oy-* $(SHARE)/bash-completion/completions
	install -d $(SHARE)/oyster/pipeline $(SHARE)/oyster/tokenizer \
	    $(SHARE)/oyster/benchmarks
	cp -r pipeline/presets pipeline/words $(SHARE)/oyster/pipeline/
	cp -r tokenizer/chat_templates $(SHARE)/oyster/tokenizer/
	cp -r benchmarks/tasks benchmarks/samples benchmarks/sandbox \
	    $(SHARE)/oyster/benchmarks/

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
