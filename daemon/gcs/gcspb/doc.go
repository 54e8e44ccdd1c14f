// Package gcspb is the part of Ray's GCS protocol that raynoded uses, made from
// gcs.proto. Package gcs is the client; nothing else imports this but tests that
// play a GCS.
package gcspb

//go:generate sh generate.sh
