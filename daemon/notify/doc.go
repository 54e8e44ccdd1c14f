// Package notify is what we tell systemd and the journal, and what our children
// must not inherit of it: they are not the unit's main process.
package notify
