# SPDX-License-Identifier: GPL-2.0-only
# The commands of sgwalk, for GNU make 4.3 or later; `make` alone lists them.

# What the command line may set. Each variable has a line `## NAME: what`, which
# help prints. make refuses a variable without such a line, and a value that
# the braces of the line do not list. Only the first three variables are also
# taken from the environment: a CI machine may have a VERSION or a BRANCH.

## KERNEL: kernel tree; default: the example tree, copied to OUT/tree
KERNEL     ?=
## OUT: folder for all results
OUT        ?= out
## JOBS: number of processes at a time; default: one per processor
JOBS       ?=
## CAMPAIGN: a name that make campaigns lists, or a folder of your own
CAMPAIGN    =
## M: folder or files of an out-of-tree module; for check also of KERNEL
M           =
## RULES: rule files or folders, of sgwalk or others; default: of CAMPAIGN
RULES       =
## TIMEOUT: seconds that spatch may take for one file
TIMEOUT     = 200
## CONFIDENCE: {high,moderate,low} least confidence of the rules that run
CONFIDENCE  = high
## LEFT: {warn,error} error: apply exits with 1 where a site is left
LEFT        = warn
## DIRTY: {0,1} 1 works on a tree with local changes
DIRTY       = 0
## TRUST: {0,1} 1 runs scripts of a tree that belongs to another user
TRUST       = 0
## FIX: {0,1} 1 corrects the page count of a tree that has the API
FIX         = 0
## FORMAT: {text,gcc,json,sarif,github,gitlab,junit} what check prints
FORMAT      = text
## BASE: revision; check reports what changed since then only
BASE        =
## BASELINE: file of known findings, made by baseline, which check leaves out
BASELINE    =
## LEVEL: {high,moderate,low} least sure finding that makes check fail
LEVEL       =
## UNREAD: {error,warn} error: check fails on code that it could not read
UNREAD      =
## SCRIPTS: {allow} runs the Python and OCaml of rules from other people
SCRIPTS     =
## KIND: {qemu,uml,kunit} where boot runs; default: what KERNEL can
KIND        =
## SSH: hosts that share the work, as GNU parallel names them
SSH         =
## SHAPE: {series,single} one patch a subsystem, or one in all
SHAPE       = series
## BRANCH: name of a branch that series makes in a worktree of its own
BRANCH      =
## VERSION: number of the reroll that series writes
VERSION     =
## SIGNOFF: {0,1} 1 signs the patches of series off with git's identity
SIGNOFF     = 0
## RULE: name of the rule that explain is about
RULE        =
## FIXES: table of fixes that people posted, for backtest
FIXES       =
## MIRROR: folder of the archives and snapshots that FIXES names
MIRROR      =
## FULL: {0,1} 1: test runs all tests; 0: it leaves out the slow ones
FULL        = 0
## V: {0,1} 1 prints each command before it is run
V           = 0

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
MAKEFLAGS += --warn-undefined-variables
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
# JOBS is what runs side by side; two verbs on one tree have to wait in line.
.NOTPARALLEL:

SHELL := /bin/sh
CC    := cc

ifneq ($(firstword $(sort 4.3 $(MAKE_VERSION))),4.3)
$(error sgwalk: GNU make $(MAKE_VERSION) is too old: 4.3 is needed)
endif

# The same tree and rules give the same bytes, wherever make is run.
export LC_ALL := C
export TZ := UTC
export PYTHONPATH := scripts
export PYTHONDONTWRITEBYTECODE := 1
unexport CDPATH PYTHONHOME PYTHONSTARTUP
# The kernel's make must not see the options and variables of this one.
unexport MAKEFLAGS MFLAGS MAKEOVERRIDES GNUMAKEFLAGS

SELF  := $(firstword $(MAKEFILE_LIST))
comma := ,
hash  := \#
space := $(subst ,, )
tab   := $(shell printf '\t')
define newline


endef

# One word a variable: option=NAME=value,value; option is the name in small
# letters. No variable but these reaches a command.
FACTS := $(shell sed -n '/^\#\# [A-Z][A-Z]*:/{s/^\#\# //;h;s/:.*//; \
	y/ABCDEFGHIJKLMNOPQRSTUVWXYZ/abcdefghijklmnopqrstuvwxyz/; \
	s/^version$$/version-number/;G; \
	s/\n\([A-Z]*\): *\({\([^}]*\)}\)*.*/=\1=\3/;p;}' $(SELF))
VERBS := $(shell sed -n 's/^\#\# \([a-z]*\):.*/\1/p' $(SELF))
part   = $(word $2,$(subst =, ,$1))
SETTINGS := $(foreach f,$(FACTS),$(call part,$f,2))
unexport $(SETTINGS)

# value, not expansion: a $ in a file name is a $. Not every shell expands ~.
text   = $(patsubst ~/%,$(value HOME)/%,$(value $1))
quote  = '$(subst ','\'',$1)'
refuse = $(error sgwalk: exit 2: $1)

ifeq ($(MAKELEVEL),0)
$(foreach v,$(.VARIABLES),$(if $(findstring command,$(origin $v)),$(if \
  $(filter-out $(SETTINGS) MAKEFLAGS MAKEOVERRIDES -%,$v),$(call \
  refuse,$v is not a variable; there are: $(SETTINGS)))))
endif
$(foreach f,$(FACTS),$(foreach v,$(call part,$f,2),$(foreach \
  good,$(call part,$f,3),$(if $(filter-out \
  $(subst $(comma), ,$(good)),$(value $v))$(word 2,$(value $v)),$(call \
  refuse,$v='$(value $v)' is none of $(subst $(comma), ,$(good)))))))
$(foreach v,$(SETTINGS),$(if $(findstring $(newline),$(value $v)),$(call \
  refuse,$v holds a line break)))
$(foreach v,KERNEL OUT BASELINE,$(if $(findstring $(space),$(value \
  $v))$(findstring $(tab),$(value $v)),$(call \
  refuse,$v='$(value $v)' holds a space$(comma) which make cannot take)))
letters = $(subst 0,,$(subst 1,,$(subst 2,,$(subst 3,,$(subst 4,,$(subst \
  5,,$(subst 6,,$(subst 7,,$(subst 8,,$(subst 9,,$1))))))))))
$(foreach v,JOBS TIMEOUT VERSION,$(if $(filter 0%,$(value $v))$(call \
  letters,$(value $v)),$(call \
  refuse,$v='$(value $v)' is not a number of 1 or more)))

# OUT names files that make makes, so make and the shell must both read it.
override OUT := $(call text,OUT)
$(foreach c,$$ $(hash) % : ; = & | < > ( ) [ ] { } * ? ! ' " ` \ ^ ~ $(comma),$(if \
  $(findstring $c,$(OUT)),$(call refuse,OUT='$(OUT)' holds a $c)))
$(if $(filter-out -%,$(OUT)),,$(call refuse,OUT='$(OUT)' names no folder))

# On Debian the packages that help install into this interpreter.
PYTHON   = $(if $(wildcard /usr/bin/python3),/usr/bin/python3,python3)
MIGRATE  = $(PYTHON) scripts/migrate.py
Q       := $(if $(filter 1,$(V)),,@)

# --name='value' for each variable that has one, a bare --name for a 0 or 1.
option = $(if $(filter 0$(comma)1,$3),$(if $(filter 1,$(value \
  $2)),--$1),$(if $(value $2),--$1=$(call quote,$(call text,$2))))
# V and FULL are for make and the tests alone.
OPTIONS := $(strip $(foreach f,$(filter-out v=% full=%,$(FACTS)),$(call option,$(call \
  part,$f,1),$(call part,$f,2),$(call part,$f,3))))

# M=drivers names a folder of the caller's, as in kbuild, under make -C too.
# make keeps -C to itself, so its command line is asked; PWD is the shell's.
moved  = $(shell tr '\0' '\n' </proc/$$PPID/cmdline | \
	grep -E '^(-[a-zA-Z]*C|--directory)')
CALLER := $(if $(and $(filter environment,$(origin PWD)),$(filter-out \
  /% ~%,$(value M))),$(if $(moved),--caller=$(call quote,$(value PWD))))

.PHONY: $(VERBS)
## help: list the commands and the variables
help:
	@echo 'sgwalk converts a kernel tree from one API to another. make campaigns'
	@echo 'lists the API changes that it knows.'
	@echo
	@sed -n 's/^## \([a-z]*\): /\1|/p' $(SELF) | \
	    while IFS='|' read -r name what; do \
		printf '  make %-9s %s\n' "$$name" "$$what"; done
	@printf '\nVariables, behind the verb as in make apply KERNEL=~/linux:\n\n'
	@sed -n 's/^## \([A-Z]*\): /\1|/p' $(SELF) | \
	    while IFS='|' read -r name what; do \
		printf '  %-11s %s\n' "$$name" "$$what"; done
	@printf '\nAs they stand:\n\n'
	@printf '  %s\n' $(foreach v,$(SETTINGS),$(if $(value $v),$(call \
	    quote,$v=$(value $v))))

## deps: install what is missing, or print the command that does
deps:
	$(Q)sh scripts/deps.sh run test lint page

## apply: add the API where it is missing, and convert its callers
## preview: print what apply would change, as a diff
## check: report misuse, callers of the old API, and unread code
## baseline: write the findings of today to a file, for check BASELINE=
## fix: repair wrong counts that are proven: CAMPAIGN=sg-counts
fix: ready
	$(Q)$(MIGRATE) apply --campaign=sg-counts $(OPTIONS) $(CALLER)

## series: write a patch per subsystem or driver; runs the tree's scripts
## verify: compile the change before and after; runs the tree's makefiles
## boot: run the API's cases in a kernel; runs the tree's makefiles
## bench: measure sgwalk beside other tools
## backtest: compare check and fix with posted FIXES= from MIRROR=
verify boot: TOOLS += build
boot: TOOLS += boot
report: TOOLS += page
test: TOOLS += test
apply preview check baseline series verify boot bench backtest: ready
	$(Q)$(MIGRATE) $@ $(OPTIONS) $(CALLER)

## report: write OUT/report.html about what was run last
report: tools
	$(Q)$(MIGRATE) report $(OPTIONS)

## explain: print what RULE=name proves, leaves alone and rewrites
explain:
	$(Q)$(MIGRATE) explain $(OPTIONS)

## campaigns: list the API changes that CAMPAIGN can name
campaigns:
	$(Q)$(MIGRATE) campaigns

## test: run the tests; needs no kernel tree
test: ready
	$(Q)$(PYTHON) scripts/test/runtests.py --out=$(OUT) $(if $(JOBS),--jobs=$(JOBS)) \
	    $(if $(filter 1,$(FULL)),--full)

# A run needs its tools and the reader; nothing is done where both are there.
.PHONY: ready tools
TOOLS := run
ready: tools $(OUT)/bin/reader
tools:
	$(Q)$(own)
	$(Q)sh scripts/deps.sh --stamp $(OUT)/deps $(TOOLS)

$(OUT)/bin/reader: $(wildcard scripts/reader/*.[ch]) $(SELF) | tools
	$(Q)$(CC) -std=c11 -O2 -Wall -Wextra -Werror -pthread -o $@.new \
		$(filter %.c,$^)
	$(Q)mv $@.new $@

# OUT may be a folder of the user's. Its mark lists what was made in it, as
# scripts/host/output.py says; this is the part of make, which may come before
# there is a python3: the mark, bin/ and deps. An empty mark is an older one.
MARK := .made-by-sgwalk
define own
foreign() { \
	echo "sgwalk: exit 2: $$1: not made by sgwalk, so it is left alone:" \
	    'move it away, or say another OUT' >&2; \
	exit 2; \
}; \
plain() { \
	for path; do \
		test ! -L $$path || foreign $$path; \
		test ! -e $$path || test -f $$path || foreign $$path; \
	done; \
}; \
failed() { echo 'sgwalk: exit 2: $(OUT): cannot be made' >&2; exit 2; }; \
out=$(OUT); mark=$$out/$(MARK); bin=$$out/bin; \
test -d $$out || { mkdir -p $$out && echo 'made .' >$$mark; } || failed; \
plain $$mark $$out/deps; \
test ! -L $$bin || foreign $$bin; \
test ! -e $$bin || test -d $$bin || foreign $$bin; \
if test -f $$mark && test ! -s $$mark; then \
	printf 'made .\nmade bin\nadopt\n' >$$mark || failed; \
fi; \
if ! grep -qsx 'made bin' $$mark; then \
	test -z "$$(ls -A $$bin 2>/dev/null)" || foreign $$bin; \
	echo 'made bin' >>$$mark || failed; \
fi; \
mkdir -p $$bin || failed; \
plain $$bin/reader $$bin/reader.new; \
if test -s $$out/deps; then \
	IFS= read -r line <$$out/deps || :; \
	case $$line in ' run '*) ;; *) foreign $$out/deps ;; esac; \
fi
endef

## clean: remove OUT, if sgwalk made it and nothing else is in it
clean:
	$(Q)$(PYTHON) scripts/host/output.py clean $(OUT)
