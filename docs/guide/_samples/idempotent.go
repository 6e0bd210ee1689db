package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
)

const order = `{"name":"US fintech 50+","search_filters":{"query":"fintech","countries":["US"],"employee_count_min":50}}`

func send(key string) (string, error) {
	request, err := http.NewRequest("POST", "https://capi.example.com/api/v1/exports", strings.NewReader(order))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer cornect_your_token_here")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return string(answer), err
}

func main() {
	const key = "8e03978e-40d5-43dd-bc93-6894a57f9324"
	first, err := send(key)
	if err != nil {
		log.Fatal(err)
	}
	again, err := send(key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first == again)
}
