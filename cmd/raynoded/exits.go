package main

import "strconv"

// exit is what a command means by an exit code.
type exit struct {
	code int
	text string
}

// another stands for every code that is not in the list.
const another = -1

// word is the code as a person reads it.
func (e exit) word() string {
	if e.code == another {
		return "other"
	}
	return strconv.Itoa(e.code)
}

// exits is what the commands mean by their exit codes, for their help and their man pages. Those of
// run are in README.md.
var exits = map[string][]exit{
	"run": {
		{exitOK, "asked to stop; the head went away after this node had joined; drained away by someone; the job ended well"},
		{exitUsage, "wrong usage"},
		{exitUnreachable, "the head could not be reached within cluster.join_timeout"},
		{exitRay, "Ray died or never came up within ray.start_timeout, the node was disowned, or a fault in raynoded"},
		{exitHost, "the host is not fit: a program, folder, port, address or token that the role names is not there"},
		{exitRayUnderJob, "Ray died under a [job]"},
		{exitBusy, "another raynoded runs this role"},
		{exitSurvivors, "stopped, but a process could not be killed, which is named, or nobody can say that none is left"},
		{exitIncomplete, "the cluster was not complete within job.wait_timeout"},
		{exitMismatch, "another cluster than the pinned one, or Ray/Python versions do not match"},
		{exitToken, "the token was refused"},
		{exitRole, "bad role file"},
		{another, "the job's own; 128+n for a signal; one of 69 to 79 is reported as 1"},
	},
	"reload": {
		{exitOK, "applied, or nothing to do"},
		{exitUsage, "wrong usage"},
		{exitUnreachable, "no raynoded runs FILE"},
		{exitRay, "it does not answer, or may not be asked"},
		{exitRole, "the files are no good, and nothing has changed"},
	},
	"check": {
		{exitOK, "good"},
		{exitUsage, "wrong usage"},
		{exitRole, "not good, or not there"},
	},
	"config": {
		{exitOK, "printed"},
		{exitUsage, "wrong usage"},
		{exitRole, "the files are no good"},
	},
	"env": {
		{exitOK, "shown; with --diff or --cluster, they are the same"},
		{exitDiffer, "with --diff or --cluster, they differ"},
		{exitUsage, "wrong usage"},
		{exitUnreachable, "the head does not answer, or its name has no address"},
		{exitHost, "a profile or file cannot be read; with --diff, the host has not the address that the role names"},
		{exitMismatch, "another cluster than the pinned one"},
		{exitToken, "the token was refused"},
		{exitRole, "bad role file; with --diff or --cluster, a launcher's variable is not set"},
	},
	"wait": {
		{exitOK, "complete"},
		{exitUsage, "wrong usage"},
		{exitUnreachable, "the head never answered within the time"},
		{exitHost, "the token cannot be read"},
		{exitIncomplete, "not complete within the time"},
		{exitMismatch, "another cluster than the pinned one"},
		{exitToken, "the token was refused"},
		{exitRole, "bad role file"},
	},
	"forget": {
		{exitOK, "forgotten, or nothing was there"},
		{exitUsage, "not confirmed, or wrong usage"},
		{exitHost, "cannot be deleted"},
		{exitBusy, "the head runs"},
		{exitRole, "bad role file, or not a head's"},
	},
}
