# The analysers, one file at a time: what has passed is not looked at again
# until it, one of its headers or the configuration changes.
#
#   make -k -f tests/lint/rules.mk cppcheck | tidy | gcc | scan
#
# FILES names what is looked at, L the folder of what has passed.
include Makefile
.DEFAULT_GOAL =

L	= build/lint
FILES	= $(wildcard *.c filter/*.c tests/*/*.c bench/*.c)

# What a single source is given besides: see who builds it.
GIVEN	= -DMARK='"/dev/null"' -DCOUNTED='"/dev/null"' -DFILTER_ALSO='$(ALSO)'

# tests/lint/model tells the analysers that a failed assertion of cmocka's
# does not come back.
KNOWN	:= -std=c11 $(CPPFLAGS) $(GIVEN) $(shell pkg-config --cflags $(PACKAGES))
MODEL	= -Itests/lint/model
ALLFLAGS := $(ALLFLAGS) $(GIVEN)
CHECKERS = $(addprefix -enable-checker ,nullability \
	  optin.portability.UnixAPI security.FloatLoopCounter \
	  security.insecureAPI.bcmp security.insecureAPI.bcopy \
	  security.insecureAPI.bzero security.insecureAPI.rand valist)

cppcheck: $(FILES:%.c=$(L)/%.cppcheck)
tidy: $(FILES:%.c=$(L)/%.tidy)
gcc: $(FILES:%.c=$(L)/%.gcc)
scan: $(FILES:%.c=$(L)/%.scan)

# A test may be one long table or story, play parts of the C library, and clean
# up with a shell's command.
$(L)/tests/%.tidy: LESS = -readability-function-*,-cert-env33-c, \
	-readability-inconsistent-declaration-parameter-name, \
	-readability-non-const-parameter,-bugprone-macro-parentheses, \
	-bugprone-reserved-identifier,-misc-no-recursion, \
	-bugprone-implicit-widening-of-multiplication-result

# cppcheck reads no header of the system; libraries are described to it.
$(L)/%.cppcheck: %.c tests/lint/cppcheck
	@cppcheck --quiet --std=c11 --library=posix,gnu -I. \
	    --enable=warning,performance,portability,style --inline-suppr \
	    --suppressions-list=tests/lint/cppcheck \
	    --platform=unix64 \
	    -D__linux__ -DVERSION='""' -DSYSCONFDIR='""' -DMARK='""' \
	    --template='{file}:{line}: {message} [{id}]' \
	    --error-exitcode=1 $<
	@touch $@

$(L)/%.tidy: %.c .clang-tidy
	@clang-tidy --quiet --config-file=.clang-tidy \
	    --header-filter='^($(CURDIR)/|\./|tests/)' --checks='$(LESS)' $< \
	    -- $(KNOWN) $(MODEL) \
	    > $@.new 2>&1 || { cat $@.new; exit 1; }
	@mv $@.new $@

# A structure that a test's function has filled in is none to gcc 12; clang's
# analyser looks for the same, and valgrind sees the tests run.
$(L)/tests/%.gcc: LESS = -Wno-analyzer-use-of-uninitialized-value

$(L)/%.gcc: %.c
	@gcc $(ALLFLAGS) $(MODEL) -fanalyzer -Werror $(LESS) \
	    -fdiagnostics-path-format=none -c -o $@ $<

$(L)/%.scan: %.c
	@scan-build -o $(L)/reports --status-bugs --use-cc=clang \
	    $(CHECKERS) clang $(KNOWN) $(MODEL) -c -o $@.new $< \
	    > $@.out 2>&1 || { cat $@.out; exit 1; }
	@mv $@.new $@

$(L)/%.d: %.c | $(B)/filter.h
	@mkdir -p $(@D)
	@gcc $(KNOWN) $(MODEL) -MM -MP -MF $@ -MT '$(@:.d=.cppcheck) \
	    $(@:.d=.tidy) $(@:.d=.gcc) $(@:.d=.scan) $@' $<

$(foreach tool,cppcheck tidy gcc scan,$(FILES:%.c=$(L)/%.$(tool))): \
    tests/lint/rules.mk Makefile
.DELETE_ON_ERROR:
.PHONY: cppcheck tidy gcc scan
include $(FILES:%.c=$(L)/%.d)
