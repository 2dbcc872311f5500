#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Find the tools that are missing, and install them or say the command to type.
#
# usage: deps.sh [--stamp FILE] CLASS...
#
# A class is a word of the table's second column. With --stamp nothing is run
# where FILE says that the same files were good enough the last time: asking
# every tool for its version takes a third of a second, looking takes little.
# Status 0: all is there, perhaps by now; 2: something is missing, as told.
#
# This is sh, since python3 is one of the things that may be missing.

set -u

# tool, class, least version, package by apt, by dnf, by pacman, why. A name
# that ends in .h is a header, and libpython is what spatch loads for a rule
# with a script. The tool decides: a package is only a way to get it.
TABLE='
make       run   4.3   make         make         make       the commands
cc         run   -     gcc          gcc          gcc        the census, proofs
stdio.h    run   -     libc6-dev    glibc-devel  glibc      for cc
git        run   2.20  git          git          git        changes, patches
python3    run   3.9   python3      python3      python     the drivers
spatch     run   1.0.8 coccinelle   coccinelle   coccinelle the rules
parallel   run   -     parallel     parallel     parallel   many spatch at once
libpython  run   -     libpython3-dev python3-libs python   scripts in rules
patch      test  -     patch        patch        patch      another opinion
rsync      test  -     rsync        rsync        rsync      SSH=, on one machine
mypy       lint  -     mypy         python3-mypy mypy       types of scripts/
shellcheck lint  -     shellcheck   ShellCheck   shellcheck shell of scripts/
jinja2     page  -     python3-jinja2 python3-jinja2 python-jinja report
flex       build -     flex         flex         flex       a kernel: kconfig
bison      build -     bison        bison        bison      a kernel: kconfig
bc         build -     bc           bc           bc         a kernel: prepare
libelf.h   build -     libelf-dev   elfutils-libelf-devel libelf a kernel
openssl/ssl.h build -  libssl-dev   openssl-devel openssl   a kernel: its keys
qemu-system-x86_64 boot - qemu-system-x86 qemu-system-x86-core qemu-base boot
'

main() {
	stamp=
	if [ "${1-}" = --stamp ]; then
		stamp=$2
		shift 2
	fi
	[ $# -gt 0 ] || die "deps.sh: name a class of tools"
	for class; do
		case $TABLE in
		*" $class "*) ;;
		*) die "deps.sh: $class is no class of tools" ;;
		esac
	done
	if [ -n "$stamp" ] && [ -f "$stamp" ]; then
		identity "$@" | cmp -s - "$stamp" && return 0
	fi
	missing=$(look "$@")
	if [ -n "$missing" ]; then
		install_missing "$missing"
		left=$(look "$@")
		[ -z "$left" ] || refuse "$left"
	fi
	if [ -n "$stamp" ]; then
		# A stamp that a kill cuts short does not fit, and is made again;
		# a file to rename would have to have a name that is nobody's.
		[ ! -L "$stamp" ] || die "deps.sh: $stamp is a symbolic link"
		now=$(identity "$@") && printf '%s\n' "$now" >"$stamp"
	fi
}

# What would have to change for the answer to change: the files behind the
# names, by inode, size and time, and this table.
identity() {
	classes=" $* "
	echo "$classes"
	paths=$(
		echo "$0"
		while read -r tool kind _; do
			take_python
			case $classes in
			*" $kind "*) command -v "$tool" ;;
			esac
		done <<END
$TABLE
END
	)
	(
		set -f
		IFS=$NEWLINE
		# shellcheck disable=SC2086 # a line is a path.
		exec ls -lidL -- $paths
	)
}

# Print a line for each tool that will not do: its name, a TAB, what is wrong.
look() {
	classes=" $* "
	echo "$TABLE" | while read -r tool kind least _; do
		case $classes in
		*" $kind "*)
			wrong=$(fault "$tool" "$least" </dev/null)
			[ -z "$wrong" ] || printf '%s\t%s\n' "$tool" "$wrong" ;;
		esac
	done
}

# Print what is wrong with a tool, or nothing.
fault() {
	case $1 in
	*.h)
		echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1 ||
			echo "is missing"
		return ;;
	jinja2)
		tool=python3
		take_python
		"$tool" -c 'import jinja2' 2>/dev/null || echo "is missing"
		return ;;
	libpython)
		spatch_has_python || echo "is missing"
		return ;;
	esac
	tool=$1
	take_python
	path=$(command -v "$tool") || {
		echo "is missing"
		return
	}
	case $1 in
	parallel)
		# moreutils has another program of this name; it knows no
		# --version, and would run the words that follow as commands.
		"$path" --version 2>/dev/null | grep -q '^GNU parallel' ||
			echo "at $path is not GNU parallel but moreutils'"
		return ;;
	python3)
		# Debian has a python3 without the rest of its library.
		"$path" -c 'import ctypes, json, unittest' 2>/dev/null || {
			echo "at $path lacks parts of its standard library"
			return
		} ;;
	esac
	[ "$2" != - ] || return 0
	found=$("$path" --version 2>/dev/null)
	found=${found#"${found%%[0-9]*}"}
	found=${found%%[!0-9.]*}
	! older "${found:-0}" "$2" ||
		echo "is ${found:-of no known version}, and $2 is needed"
}

# Debian's spatch does not ask for the library, and has no Python without it.
spatch_has_python() {
	# Of files that are there: one of our own making would outlive SIGKILL.
	spatch --very-quiet --sp-file "${0%/*}/deps.cocci" /dev/null \
		>/dev/null 2>&1
}

# Say whether version $1 comes before version $2: 1.0.8 before 1.0.10.
older() {
	ours=$1.
	least=$2.
	while [ -n "$least" ]; do
		[ "${ours%%.*}" -eq "${least%%.*}" ] 2>/dev/null || {
			[ "${ours%%.*}" -lt "${least%%.*}" ] 2>/dev/null
			return
		}
		ours=${ours#*.}
		least=${least#*.}
		[ -n "$ours" ] || ours=0.
	done
	return 1
}

# The interpreter is the one that the Makefile takes.
take_python() {
	if [ "$tool" = python3 ] && [ -e /usr/bin/python3 ]; then
		tool=/usr/bin/python3
	fi
}

# Print the packages that hold the tools of a list as look() prints it.
packages() {
	case $2 in
	apt-get) column=4 ;;
	dnf) column=5 ;;
	pacman) column=6 ;;
	esac
	echo "$1" | while read -r tool _; do
		echo "$TABLE" | awk -v tool="$tool" -v column="$column" \
			'$1 == tool { print $column }'
	done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

install_missing() {
	manager=
	for name in apt-get dnf pacman; do
		if command -v "$name" >/dev/null; then
			manager=$name
			break
		fi
	done
	[ -n "$manager" ] || refuse "$1"
	names=$(packages "$1" "$manager")
	case $manager in
	apt-get) set -- "$1" apt-get install -y --no-install-recommends ;;
	dnf) set -- "$1" dnf install -y ;;
	pacman) set -- "$1" pacman -S --needed --noconfirm ;;
	esac
	list=$1
	shift
	command="$* $names"
	if [ "$(id -u)" -eq 0 ]; then
		root=
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		root="sudo -n"
		command="sudo $command"
	else
		command="sudo $command"
		refuse "$list"
	fi
	say "installing what is missing: $command"
	# The names are words of the table above, and the list is theirs.
	# shellcheck disable=SC2086
	case $manager in
	apt-get)
		have_lists || as_root apt-get -qq update || refuse "$list"
		as_root apt-get -qq install -y --no-install-recommends $names || {
			# Lists that are old name packages that are gone.
			as_root apt-get -qq update &&
				as_root apt-get -qq install -y \
					--no-install-recommends $names
		} || refuse "$list" ;;
	*)
		as_root "$@" $names || refuse "$list" ;;
	esac
}

have_lists() {
	for file in /var/lib/apt/lists/*_Packages*; do
		[ -e "$file" ] && return 0
	done
	return 1
}

# stdout is for data, and a package manager's words are none.
as_root() {
	# shellcheck disable=SC2086 # root is nothing or two words.
	$root env DEBIAN_FRONTEND=noninteractive "$@" </dev/null >&2
}

# End with what is wrong and, where there is one, the command that helps.
refuse() {
	echo "$1" | while IFS="$TAB" read -r tool wrong; do
		why=$(echo "$TABLE" | awk -v tool="$tool" '$1 == tool {
			$1 = $2 = $3 = $4 = $5 = $6 = ""; print }' | sed 's/^ *//')
		say "$tool $wrong ($why)"
	done
	if [ -n "${command-}" ]; then
		say "to install it, type:"
		printf '\n    %s\n\n' "$command" >&2
	else
		say "install it with this system's package manager"
	fi
	die "$(echo "$1" | cut -f1 | tr '\n' ' ' | sed 's/ $//'): missing or unfit"
}

say() {
	echo "sgwalk: $*" >&2
}

die() {
	echo "sgwalk: exit 2: $*" >&2
	exit 2
}

# spatch dies of an exception where there is no HOME, and then has no version.
export HOME="${HOME:-/}"
TAB='	'
NEWLINE='
'
main "$@"
