package main

import (
	"strconv"

	"github.com/raynoded/raynoded/daemon/reason"
)

// exit is an exit code and what a command means by it.
type exit struct {
	code int
	text string
}

// anyOther stands for every code that the list does not have.
const anyOther = -1

// word is the code as the help shows it.
func (e exit) word() string {
	if e.code == anyOther {
		return "other"
	}
	return strconv.Itoa(e.code)
}

// exits is what each command means by its exit codes, for the help and the man pages. README.md
// has the table of run's, too.
var exits = map[string][]exit{
	"run": {
		{reason.ExitOK, "asked to stop; the head went away after this node had joined; drained away by someone; the job " +
			"ended well"},
		{exitUsage, "wrong usage"},
		{reason.ExitUnreachable, "the head could not be reached within cluster.join_timeout"},
		{reason.ExitRay, "Ray died or never came up within ray.start_timeout, the node was disowned, or a fault in raynoded"},
		{reason.ExitHost, "the host is not fit: a program, folder, port, address or token that the role names is not there"},
		{reason.ExitRayUnderJob, "Ray died under a [job]"},
		{reason.ExitBusy, "another raynoded runs this role"},
		{reason.ExitUnfinished, "stopped, but a process is left that could not be killed (the log names it), or raynoded " +
			"cannot find out whether one is left"},
		{reason.ExitIncomplete, "the cluster was not complete within job.wait_timeout"},
		{reason.ExitMismatch, "another cluster than the pinned one, or Ray/Python versions do not match"},
		{reason.ExitToken, "the token was refused"},
		{reason.ExitRole, "bad role file"},
		{anyOther, "the job's own; 128+n for a signal; one of 69 to 79 is reported as 1"},
	},
	"reload": {
		{reason.ExitOK, "applied, or nothing to do"},
		{exitUsage, "wrong usage"},
		{reason.ExitUnreachable, "no raynoded runs FILE"},
		{reason.ExitRay, "raynoded does not answer, or this user may not ask it"},
		{reason.ExitRole, "the files have errors, and nothing has changed"},
	},
	"check": {
		{reason.ExitOK, "good"},
		{exitUsage, "wrong usage"},
		{reason.ExitRole, "it has errors, or is not there"},
	},
	"config": {
		{reason.ExitOK, "printed"},
		{exitUsage, "wrong usage"},
		{reason.ExitRole, "the files have errors"},
	},
	"env": {
		{reason.ExitOK, "shown; with --diff or --cluster, they are the same"},
		{exitDiffer, "with --diff or --cluster, they differ"},
		{exitUsage, "wrong usage"},
		{reason.ExitUnreachable, "the head does not answer, or its name has no address"},
		{reason.ExitHost, "a profile or file cannot be read; with --diff, the host does not have the address that the role " +
			"names"},
		{reason.ExitMismatch, "another cluster than the pinned one"},
		{reason.ExitToken, "the token was refused"},
		{reason.ExitRole, "bad role file; with --diff or --cluster, a launcher's variable is not set"},
	},
	"wait": {
		{reason.ExitOK, "complete"},
		{exitUsage, "wrong usage"},
		{reason.ExitUnreachable, "the head never answered within the time"},
		{reason.ExitHost, "the token cannot be read"},
		{reason.ExitIncomplete, "not complete within the time"},
		{reason.ExitMismatch, "another cluster than the pinned one"},
		{reason.ExitToken, "the token was refused"},
		{reason.ExitRole, "bad role file"},
	},
	"forget": {
		{reason.ExitOK, "forgotten, or nothing was there"},
		{exitUsage, "not confirmed, or wrong usage"},
		{reason.ExitHost, "cannot be deleted"},
		{reason.ExitBusy, "the head runs"},
		{reason.ExitRole, "bad role file, or not a head's"},
	},
}
