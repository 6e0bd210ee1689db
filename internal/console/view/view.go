// Package view holds the pages of the console: their templates, the values that they show, and the forms that they send.
// It asks no store and answers no request; the handlers in package console do.
package view

//go:generate go tool templ generate -path .

// BasePath is the path under which the console is served.
const BasePath = "/console"
