// Package gcs is a client of Ray's control store (GCS), the process of the head that knows the
// cluster. It asks whether the GCS answers, which cluster it is, and which nodes it lists, and
// notices when it has gone.
//
// A [Conn] is one TCP connection. It never reconnects and never pings. When it breaks it is over,
// and the next [Dial] finds out how things are now. Every error has a [Fault], the one word by
// which the watch over the head decides. Nothing here retries, waits for better times or logs.
//
// It works unchanged with Ray 2.9.3, 2.40.0 and 2.60.0. Calls carry no cluster id, which the GCS
// takes for "any". So a head that has come back can be asked which cluster it is.
package gcs
