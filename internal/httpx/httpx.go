// Package httpx holds what all HTTP packages share: the status of a fault, the error body, JSON and CSV answers, compression.
// It knows no route.
package httpx
