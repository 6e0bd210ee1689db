package view

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
	_ "time/tzdata" // a container may have no time zones
)

// zoneCookie is the cookie in which console.js says the reader's time zone, such as Europe/Berlin.
const zoneCookie = "capi_zone"

const clock = "15:04"

type zoneKey struct{}

// zones are the time zones that were loaded, by name. There are some hundreds.
var zones sync.Map

// withZone makes pages show times in the time zone of the request's cookie. Without one, they are in UTC.
func withZone(ctx context.Context, r *http.Request) context.Context {
	c, err := r.Cookie(zoneCookie)
	if err != nil {
		return ctx
	}
	name, err := url.QueryUnescape(c.Value)
	if err != nil || name == "" || name == "Local" {
		return ctx
	}
	zone, ok := zones.Load(name)
	if !ok {
		loaded, err := time.LoadLocation(name)
		if err != nil {
			return ctx
		}
		zone, _ = zones.LoadOrStore(name, loaded)
	}
	return context.WithValue(ctx, zoneKey{}, zone)
}

// zoneOf returns the reader's time zone; nil if it is not known.
func zoneOf(ctx context.Context) *time.Location {
	zone, _ := ctx.Value(zoneKey{}).(*time.Location)
	return zone
}
