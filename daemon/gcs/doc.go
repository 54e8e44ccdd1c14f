// Package gcs asks Ray's control store (GCS), the process of the head that
// knows the cluster: does it answer, which cluster is it, which nodes does it
// list, is it still there.
//
// A [Conn] is one TCP connection. It never reconnects and never pings: when it
// breaks it is over, and the next [Dial] finds out how things are now. Every
// error has a [Fault], the one word that the watch over the head decides by.
// Nothing here retries, waits for better times or logs.
//
// It works unchanged on Ray 2.9.3, 2.40.0 and 2.60.0. Calls carry no cluster
// id: the GCS takes that for "any", and so a returned head can be asked which
// cluster it is.
package gcs
