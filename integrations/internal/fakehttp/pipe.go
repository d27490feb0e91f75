package fakehttp

import (
	"context"
	"net"
	"sync"
)

// Pipe is a listener and the dialer that reaches it, in memory. A goroutine
// that waits for a real network is not durably blocked, so in a testing/synctest
// bubble the clock would stand still; over a Pipe it moves on.
type Pipe struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

// NewPipe returns an open Pipe. Make it inside the bubble, and close it there.
func NewPipe() *Pipe {
	return &Pipe{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for somebody to dial.
func (p *Pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Dial connects to whoever accepts, whatever the address. When the Pipe is
// closed it fails as dialing a closed port does.
func (p *Pipe) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	var err error
	select {
	case p.conns <- there:
		return here, nil
	case <-p.done:
		err = net.ErrClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: p.Addr(), Err: err}
}

// Close refuses everybody from now on. Connections stay open.
func (p *Pipe) Close() error {
	p.close.Do(func() { close(p.done) })
	return nil
}

// Addr is there for [net.Listener].
func (p *Pipe) Addr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "pipe" }
func (addr) String() string  { return "pipe" }
