package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// ask makes one call and looks at both of its statuses, gRPC's and the GCS's.
func ask[Q any, A interface{ GetStatus() *gcspb.GcsStatus }](
	ctx context.Context, c *Conn, what string,
	call func(context.Context, *Q, ...grpc.CallOption) (A, error), question *Q,
) (A, error) {
	doing := c.asking(what)
	if c.wire.end() != nil {
		var none A
		return none, c.read(ctx, doing, nil)
	}
	answer, err := call(ctx, question)
	if err != nil {
		return answer, c.read(ctx, doing, err)
	}
	if s := answer.GetStatus(); s.GetCode() != 0 {
		err := &refusal{code: s.GetCode()}
		return answer, &failure{doing, c.head.Token.hide(fmt.Sprintf("%v: %s", err, brief(s.GetMessage()))), Rejected, err}
	}
	return answer, nil
}

func (c *Conn) asking(what string) string {
	return fmt.Sprintf("cannot ask head %s %s", plain([]byte(c.head.Address)), what)
}

// refusal is a status of the GCS that is not ok, inside an answer that is.
type refusal struct{ code int32 }

func (r *refusal) Error() string { return fmt.Sprintf("the GCS answered with status %d", r.code) }

// read makes one of our errors of what gRPC returned. What the caller did comes
// first, then what the connection knows, and only then the words of gRPC.
func (c *Conn) read(ctx context.Context, doing string, err error) error {
	end := c.wire.end()
	foreign := c.wire.foreign()
	switch {
	case c.closed.Load():
		return &failure{doing, "connection closed by this side", Unknown, net.ErrClosed}
	case errors.Is(ctx.Err(), context.Canceled):
		return givenUp(ctx, doing)
	case end != nil && silence(end):
		return &failure{doing, cause(end), Silent, end}
	case foreign != "":
		return odd(doing, "it "+foreign)
	case errors.Is(end, io.EOF):
		return &failure{doing, errOver.Error(), Broken, end}
	case end != nil:
		return &failure{doing, cause(end), Broken, end}
	case ctx.Err() != nil && c.wire.unconfirmed():
		return &failure{doing, Silent.String(), Silent, context.DeadlineExceeded}
	case ctx.Err() != nil || status.Code(err) == codes.DeadlineExceeded:
		return &failure{doing, Stuck.String(), Stuck, context.DeadlineExceeded}
	}
	return c.readStatus(doing, status.Convert(err))
}

// readStatus reads the status of a call on a connection that still stands.
func (c *Conn) readStatus(doing string, s *status.Status) error {
	said := c.head.Token.hide(brief([]byte(s.Message())))
	switch s.Code() {
	case codes.Unauthenticated:
		return &failure{doing, fmt.Sprintf("%s (%s)", Unauthorized, said), Unauthorized, nil}
	case codes.Unavailable:
		return &failure{doing, said, Broken, nil}
	case codes.Unimplemented, codes.Unknown, codes.Internal, codes.PermissionDenied:
		return odd(doing, said)
	default:
		return &failure{doing, fmt.Sprintf("%s: %s", s.Code(), said), Rejected, nil}
	}
}

// odd is for answers that no GCS gives.
func odd(doing, why string) error {
	return &failure{doing, "not a Ray head: " + why, NotRay, nil}
}

// givenUp is the error of what the caller cancelled.
func givenUp(ctx context.Context, doing string) error {
	why := context.Cause(ctx)
	return &failure{doing, why.Error(), Unknown, why}
}
