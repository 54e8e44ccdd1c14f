// Package notify tells systemd and the journal about us, and keeps from our children what systemd
// says to the unit's main process alone.
package notify
