// Package cluster is what a GCS says about its nodes and about this one: how many there are,
// whether they are alike, and a Member, which is this host's node in a cluster. The package
// asks and compares; its callers decide what follows from the answers.
package cluster
