# Makes the changelog that nfpm reads from CHANGELOG.md: "make package" runs it. An entry has 78 columns at most, since a line
# of a .deb's changelog has 80, and nfpm breaks none. What is unreleased is in no package.

function complain(text) {
	print FILENAME ":" FNR ": " text >"/dev/stderr"
	bad = 1
}

function need_entries() {
	if (heading && !entries) {
		print FILENAME ":" heading ": a version without an entry" >"/dev/stderr"
		bad = 1
	}
}

/^## / {
	need_entries()
	heading = FNR
	entries = 0
	unreleased = $0 == "## Unreleased"
	if (unreleased) {
		heading = 0
	} else if ($0 !~ /^## [0-9]+\.[0-9]+\.[0-9]+ - [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$/) {
		complain("want \"## 1.2.3 - 2026-01-31\" or \"## Unreleased\"")
	} else {
		print "- semver: " $2 "-1"
		print "  date: " $4 "T00:00:00Z"
		print "  packager: The raynoded authors <raynoded@users.noreply.github.com>"
		print "  deb: {urgency: medium, distributions: [stable]}"
		print "  changes:"
	}
	begun = 1
	next
}

!begun || /^$/ { next }

!/^- [^ ]/ {
	complain("want \"- \" and what is new, in one line")
	next
}

{
	if (length($0) > 78) {
		complain(length($0) " columns, want 78 at most")
	}
	entries++
	if (!unreleased) {
		gsub(/'/, "''")
		print "    - note: '" substr($0, 3) "'"
	}
}

END {
	need_entries()
	exit bad
}
