// Package cluster is what a GCS says of its nodes and of this one: how many are there, whether they
// are alike, and a Member, which is this host's node in a cluster. It asks and compares; what
// follows from the answers is for others to decide.
package cluster
