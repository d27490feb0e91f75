package world

import (
	"io"
	"net"
	"sync"
)

// tunnel is an address on 127.0.0.1 that leads to a server, unless it is cut:
// then what connects to it is dropped at once.
type tunnel struct {
	to       string
	listener net.Listener
	ends     sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]bool // nil: it is closed
}

func dig(to string) (*tunnel, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &tunnel{to: to, listener: l, conns: map[net.Conn]bool{}}
	t.ends.Go(t.accept)
	return t, nil
}

// Address is where the tunnel begins.
func (t *tunnel) Address() string { return t.listener.Addr().String() }

// Cut cuts the tunnel, with all that goes through it, or lets it lead on.
func (t *tunnel) Cut(yes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut = yes; yes {
		t.drop()
	}
}

// IsCut reports whether it is cut.
func (t *tunnel) IsCut() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cut
}

// drop is called with t.mu held.
func (t *tunnel) drop() {
	for conn := range t.conns {
		_ = conn.Close() // whoever reads from it sees so
	}
}

func (t *tunnel) close() error {
	err := t.listener.Close()
	t.mu.Lock()
	t.drop()
	t.conns = nil
	t.mu.Unlock()
	t.ends.Wait()
	return err
}

func (t *tunnel) accept() {
	for {
		near, err := t.listener.Accept()
		if err != nil {
			return // it is closed
		}
		t.ends.Go(func() { t.lead(near) })
	}
}

// keep remembers a connection, unless nothing may pass.
func (t *tunnel) keep(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut || t.conns == nil {
		return false
	}
	t.conns[conn] = true
	return true
}

func (t *tunnel) forget(conn net.Conn) {
	_ = conn.Close() // it may be closed already
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
}

func (t *tunnel) lead(near net.Conn) {
	defer t.forget(near)
	if !t.keep(near) {
		return
	}
	far, err := net.Dial("tcp", t.to)
	if err != nil {
		return
	}
	defer t.forget(far)
	if !t.keep(far) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(near, far) // its end is all there is to know
		_ = near.Close()
	})
	_, _ = io.Copy(far, near)
	_ = far.Close()
	back.Wait()
}
