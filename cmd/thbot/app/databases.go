package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"

	"thbot/handlers"
	"thbot/integrations/mysql"
)

// config is how the server is reached, but for who the bot is there.
func (s DatabaseServer) config(ca []byte) mysql.Config {
	return mysql.Config{Address: s.Address, TLS: mysql.TLS{CA: ca, ServerName: s.ServerName, Instance: s.Instance}}
}

// databases opens the clients of all databases; it connects to none. What it
// returns for closing them is never nil.
func (c Config) databases(s Secrets, dial func(ctx context.Context, network, address string) (net.Conn, error)) (all map[string]handlers.Database, closeAll func() error, err error) {
	all = map[string]handlers.Database{}
	var open []*mysql.Server
	closeAll = func() error {
		var errs []error
		for _, server := range open {
			errs = append(errs, server.Close())
		}
		return errors.Join(errs...)
	}
	for name, db := range c.Databases {
		connect := func(what string, server DatabaseServer) (*mysql.Server, []byte, error) {
			var ca []byte
			if server.CA != "" {
				text, err := os.ReadFile(server.CA)
				if err != nil {
					return nil, nil, fmt.Errorf("reading databases.%s.%s.ca: %w", name, what, err)
				}
				ca = text
			}
			config := server.config(ca)
			config.Name, config.User, config.Procedures, config.Limit, config.Dial = name+"'s "+what, db.User, db.Procedures, c.Times.Limit, dial
			config.Services = slices.Sorted(maps.Keys(db.Services))
			config.Password = func() string {
				if fresh, err := s.Again(DatabaseVariable(name)); err == nil && fresh != "" {
					return fresh
				}
				return s.Databases[name].Reveal()
			}
			opened, err := mysql.Open(config)
			if err == nil {
				open = append(open, opened)
			}
			return opened, ca, err
		}
		primary, _, err := connect("primary", db.Primary)
		if err != nil {
			return nil, closeAll, err
		}
		replica, ca, err := connect("replica", db.Replica)
		if err != nil {
			return nil, closeAll, err
		}
		host, port, _ := net.SplitHostPort(db.Replica.Address) // checked
		all[name] = handlers.Database{Name: name, Primary: primary, Replica: replica, Host: host, Port: port, CA: string(ca), Instance: db.Replica.Instance, ServerName: db.Replica.ServerName,
			Eligible: db.Eligible, Longest: db.Longest, Services: db.Services, Orphans: db.Orphans}
	}
	return all, closeAll, nil
}
