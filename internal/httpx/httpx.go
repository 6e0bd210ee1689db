// Package httpx holds what all HTTP packages share: the status of a fault, the error body, JSON and CSV responses, compression.
// It knows no routes.
package httpx
