// Package softkey is a device with passkeys, in software, for tests of what a server accepts. It answers as a browser does (Web
// Authentication, W3C), with keys of ECDSA on P-256 and without attestation.
package softkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"github.com/fxamacker/cbor/v2"
)

// The flags of an answer.
const (
	userPresent  = 1 << 0
	userVerified = 1 << 2
	hasKey       = 1 << 6
)

// Device keeps one passkey at most.
type Device struct {
	Origin     string // the site that asks, such as https://capi.example.com
	Host       string // its host name
	Unverified bool   // the device does not ask its user for a fingerprint or PIN

	Counter uint32 // signatures so far; a test may set it back
	ID      []byte // of the passkey
	Holder  []byte // the user handle with which it was created
	key     *ecdsa.PrivateKey
}

var encoding = base64.RawURLEncoding

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // a mistake in this package
	}
	return v
}

// challengeOf returns the challenge in the options that a server sent, and the user handle if they ask for a new passkey.
func challengeOf(options []byte) (challenge string, holder []byte) {
	var asked struct {
		PublicKey struct {
			Challenge string `json:"challenge"`
			User      struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &asked); err != nil {
		panic(err)
	}
	return asked.PublicKey.Challenge, must(encoding.DecodeString(asked.PublicKey.User.ID))
}

// Create answers options that ask for a new passkey, which replaces the device's.
func (d *Device) Create(options []byte) []byte {
	challenge, holder := challengeOf(options)
	d.key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	d.ID, d.Holder = []byte(rand.Text()), holder
	point := must(d.key.PublicKey.Bytes()) // 4, x, y
	public := must(cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]}))

	var data bytes.Buffer
	data.Write(d.head(hasKey))
	data.Write(make([]byte, 16)) // the model of the device
	data.Write(binary.BigEndian.AppendUint16(nil, uint16(len(d.ID))))
	data.Write(d.ID)
	data.Write(public)
	attestation := must(cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data.Bytes()}))
	return d.answer(map[string]any{
		"clientDataJSON": encoding.EncodeToString(d.clientData("webauthn.create", challenge)), "attestationObject": encoding.EncodeToString(attestation),
		"transports": []string{"internal"},
	})
}

// Get answers options that ask for a passkey.
func (d *Device) Get(options []byte) []byte {
	challenge, _ := challengeOf(options)
	d.Counter++
	client, data := d.clientData("webauthn.get", challenge), d.head(0)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	return d.answer(map[string]any{
		"clientDataJSON": encoding.EncodeToString(client), "authenticatorData": encoding.EncodeToString(data),
		"signature":  encoding.EncodeToString(must(ecdsa.SignASN1(rand.Reader, d.key, digest[:]))),
		"userHandle": encoding.EncodeToString(d.Holder),
	})
}

// head returns the hash of the host name, the flags and the counter.
func (d *Device) head(flags byte) []byte {
	host := sha256.Sum256([]byte(d.Host))
	flags |= userPresent
	if !d.Unverified {
		flags |= userVerified
	}
	return binary.BigEndian.AppendUint32(append(host[:], flags), d.Counter)
}

func (d *Device) clientData(kind, challenge string) []byte {
	return must(json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.Origin, "crossOrigin": false}))
}

func (d *Device) answer(response map[string]any) []byte {
	name := encoding.EncodeToString(d.ID)
	return must(json.Marshal(map[string]any{
		"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
		"authenticatorAttachment": "platform",
	}))
}
