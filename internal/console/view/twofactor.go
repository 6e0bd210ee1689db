package view

import (
	"image/color"
	"net/url"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"

	"github.com/opencapi/capi/internal/account"
)

// Code is the page that asks for a code or a passkey after the password.
type Code struct {
	Next     string
	Fault    string
	App      bool        // the person has an app that computes codes
	Passkeys PasskeySite // zero if the person has none
}

// CodePath returns the address of the page that asks for a code, and from there leads to next.
func CodePath(next string) string { return BasePath + "/sign-in/code?next=" + url.QueryEscape(next) }

// TwoFactor is the page on which a person sets up two-factor sign-in.
type TwoFactor struct {
	State    account.TwoFactorState
	Setup    *otp.Key // nil unless a setup has begun
	Codes    []string // new recovery codes; shown once
	Faults   map[string]string
	Provider string      // the name of the OpenID provider; empty if none is configured
	Passkeys PasskeySite // zero if the person has none
}

// grouped returns the secret in groups of four, in which people type it.
func grouped(secret string) string {
	var groups []string
	for len(secret) > 4 {
		groups, secret = append(groups, secret[:4]), secret[4:]
	}
	return strings.Join(append(groups, secret), " ")
}

// codesFile returns the address of a file with the codes, which a browser can save without asking a server for it.
func codesFile(codes []string) string {
	text := "CAPI recovery codes. Each works once, in place of a code of your app.\n\n" + strings.Join(codes, "\n") + "\n"
	return "data:text/plain;charset=utf-8," + url.PathEscape(text)
}

// codeTitle is the title of the page that asks for a code.
func codeTitle(f Code) string {
	if f.App {
		return "Enter a code"
	}
	return "Use a passkey"
}

// codeLabel is the label of the input of a code.
func codeLabel(app bool) string {
	if app {
		return "Code or recovery code"
	}
	return "Recovery code"
}

// quietModules is the width of the light border that a QR code needs to be recognised.
const quietModules = 4

// qrCode is a QR code as a path of SVG, in a square of Size units. It is empty if the text is too long.
type qrCode struct {
	Size int
	Path string
}

// qrOf returns the QR code of the text.
func qrOf(text string) qrCode {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrCode{}
	}
	width := code.Bounds().Dx()
	var path strings.Builder
	for y := range width {
		for x := 0; x < width; {
			run := 0
			for x+run < width && code.At(x+run, y) == color.Black {
				run++
			}
			if run > 0 {
				path.WriteString("M" + strconv.Itoa(x+quietModules) + " " + strconv.Itoa(y+quietModules) + "h" + strconv.Itoa(run) + "v1h-" +
					strconv.Itoa(run) + "z")
			}
			x += max(run, 1)
		}
	}
	return qrCode{Size: width + 2*quietModules, Path: path.String()}
}
