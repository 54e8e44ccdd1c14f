// Package role reads the role file: what one host is to be in a Ray cluster.
//
// [Load] applies the file, and the drop-ins in the folder beside it, to the defaults. It returns
// either a [Role] in which every value has been checked, or [Problems]: every complaint at once,
// each with its file, line and column. A key that the package does not know is a complaint; none is
// ignored.
//
// [Diff] says what differs between two roles, and which changes apply to a running node. [Files]
// are the files of one role, read at one moment, so that what was compared is what is loaded.
//
// [NewSchema] describes the keys, for editors and for the manual page; about.go has the words.
//
// A key passes through these files: files.go reads the bytes, document.go parses them and knows
// where each value is, decode.go stores the values in the Role, values.go checks the values of one
// file one by one, and together.go checks the merged values against each other. A file that is not
// TOML hides its values, so the last step is skipped then: its complaints would be guesses.
//
// A new key is a field of a struct in role.go, a sentence in about.go, a check in values.go or
// together.go, and a line in etc/raynoded.
package role
