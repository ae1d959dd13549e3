// A client on go-nostr: reads commands and writes answers as ../adapters/program.js does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nbd-wtf/go-nostr"
)

const wait = 20 * time.Second

// The longest page that relays commonly give.
const pageMax = 1000

type command struct {
	ID      int            `json:"id"`
	Verb    string         `json:"verb"`
	Event   *nostr.Event   `json:"event"`
	Filter  nostr.Filter   `json:"filter"`
	Filters []nostr.Filter `json:"filters"`
	Limit   int            `json:"limit"`
}

type verdict struct {
	Accepted bool   `json:"accepted"`
	Message  string `json:"message"`
}

type client struct {
	url  string
	pool *nostr.SimplePool
}

var out = struct {
	sync.Mutex
	*json.Encoder
}{Encoder: json.NewEncoder(os.Stdout)}

func tell(message map[string]any) {
	out.Lock()
	defer out.Unlock()
	_ = out.Encode(message)
}

var authentications atomic.Int64

// Signs the answer to a challenge. Each has a tag of its own: the library authenticates for every request
// that was refused, and of several events with one id only one is told that it was accepted.
func authenticate(_ context.Context, answer nostr.RelayEvent) error {
	number := strconv.FormatInt(authentications.Add(1), 10)
	answer.Tags = append(answer.Tags, nostr.Tag{"nonce", number})
	return answer.Sign(os.Args[2])
}

func main() {
	options := []nostr.PoolOption{}
	if len(os.Args) > 2 {
		options = append(options, nostr.WithAuthHandler(authenticate))
	}
	c := &client{os.Args[1], nostr.NewSimplePool(context.Background(), options...)}
	if _, err := c.pool.EnsureRelay(c.url); err != nil {
		tell(map[string]any{"error": err.Error()})
		os.Exit(1)
	}
	tell(map[string]any{"can": []string{"publish", "query", "live", "count"}, "pages": true})
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var cmd command
		if err := json.Unmarshal(line, &cmd); err != nil {
			panic(err)
		}
		go c.answer(cmd)
	}
}

func (c *client) answer(cmd command) {
	result, err := c.carryOut(cmd)
	if err != nil {
		tell(map[string]any{"id": cmd.ID, "error": err.Error()})
		return
	}
	tell(map[string]any{"id": cmd.ID, "result": result})
}

func (c *client) carryOut(cmd command) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	switch cmd.Verb {
	case "publish":
		result := <-c.pool.PublishMany(ctx, []string{c.url}, *cmd.Event)
		if result.Error != nil {
			return verdict{false, result.Error.Error()}, nil
		}
		return verdict{true, ""}, nil
	case "query":
		return c.query(ctx, cmd.Filters), nil
	case "live":
		return nil, c.live(cmd.Filter)
	case "count":
		relay, err := c.pool.EnsureRelay(c.url)
		if err != nil {
			return nil, err
		}
		count, _, err := relay.Count(ctx, nostr.Filters{cmd.Filter})
		return count, err
	default: // page
		// Its limit is one for all pages together; without it a page has the relay's own length.
		filter := cmd.Filter
		if cmd.Limit > pageMax {
			filter.Limit = 100 * cmd.Limit
		}
		seen := map[string]struct{}{}
		ids := []string{}
		pages := c.pool.PaginatorWithInterval(0)
		for event := range pages(ctx, []string{c.url}, filter) {
			if _, again := seen[event.ID]; !again {
				seen[event.ID] = struct{}{}
				ids = append(ids, event.ID)
			}
		}
		return ids, nil
	}
}

func (c *client) query(ctx context.Context, filters []nostr.Filter) [][]*nostr.Event {
	answers := make([][]*nostr.Event, len(filters))
	var running sync.WaitGroup
	for i, filter := range filters {
		answers[i] = []*nostr.Event{}
		running.Add(1)
		go func() {
			defer running.Done()
			for event := range c.pool.FetchMany(ctx, []string{c.url}, filter) {
				answers[i] = append(answers[i], event.Event)
			}
		}()
	}
	running.Wait()
	return answers
}

func (c *client) live(filter nostr.Filter) error {
	stored := make(chan struct{})
	events := c.pool.SubscribeManyNotifyEOSE(context.Background(), []string{c.url}, filter, stored)
	go func() {
		for event := range events {
			tell(map[string]any{"heard": event.Event})
		}
	}()
	select {
	case <-stored:
		return nil
	case <-time.After(wait):
		return context.DeadlineExceeded
	}
}
