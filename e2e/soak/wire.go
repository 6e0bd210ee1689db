package main

import (
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/Shopify/toxiproxy/v2"
	toxiclient "github.com/Shopify/toxiproxy/v2/client"
	"github.com/rs/zerolog"
)

// wires are connections between processes that can be cut and slowed.
type wires struct {
	server *httptest.Server
	client *toxiclient.Client
}

func newWires() *wires {
	s := httptest.NewServer(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()).Routes())
	return &wires{s, toxiclient.NewClient(s.URL)}
}

// wire is a way to a server.
type wire struct {
	proxy   *toxiclient.Proxy
	address string // where it begins
	toxics  []string
}

// to returns a new way to the address.
func (w *wires) to(name, address string) (*wire, error) {
	p, err := w.client.CreateProxy(name, "127.0.0.1:0", address)
	if err != nil {
		return nil, err
	}
	return &wire{proxy: p, address: p.Listen}, nil
}

// cut ends all connections and refuses new ones.
func (w *wire) cut() error { return w.proxy.Disable() }

// spoil adds a toxic to what both sides send, such as latency or timeout, which drops everything.
func (w *wire) spoil(toxic string, attributes toxiclient.Attributes) error {
	for _, side := range []string{"upstream", "downstream"} {
		name := fmt.Sprint(toxic, " ", side)
		if _, err := w.proxy.AddToxic(name, toxic, side, 1, attributes); err != nil {
			return err
		}
		w.toxics = append(w.toxics, name)
	}
	return nil
}

// repair makes it as it was. Connections from which something was dropped end.
func (w *wire) repair() error {
	var errs []error
	for _, name := range w.toxics {
		errs = append(errs, w.proxy.RemoveToxic(name))
	}
	w.toxics = nil
	return errors.Join(append(errs, w.proxy.Enable())...)
}
