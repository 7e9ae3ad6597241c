package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// webhook posts messages as mirror.event/v1.
type webhook struct {
	address string
	secret  string
	client  *http.Client
}

func newWebhook(address, secret string) *webhook { return &webhook{address, secret, newClient()} }

// Send posts a message and waits for an answer of success.
func (w *webhook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(document(m))
	if err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	header := http.Header{"X-Mirror-Delivery": {m.ID}}
	if w.secret != "" {
		header.Set(SignatureHeader, Sign(w.secret, body, time.Now()))
	}
	answer, err := post(ctx, w.client, w.address, header, body)
	if err != nil {
		return err
	}
	return refusedInBody(answer)
}

// refusedInBody is the error that an answer of success tells in its body, as messengers do: errcode
// (DingTalk, WeCom), code or StatusCode (Feishu), ok (Slack, Telegram), success. Other bodies are no errors.
func refusedInBody(answer []byte) error {
	var said struct {
		ErrCode    int    `json:"errcode"`
		ErrMsg     string `json:"errmsg"`
		Code       int    `json:"code"`
		Msg        string `json:"msg"`
		StatusCode int    `json:"StatusCode"`
		OK         *bool  `json:"ok"`
		Error      string `json:"error"`
		Success    *bool  `json:"success"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return nil
	}
	refused := func(ok *bool) bool { return ok != nil && !*ok }
	switch text := cmp.Or(said.ErrMsg, said.Msg, said.Error); {
	case said.ErrCode != 0:
		return fmt.Errorf("it answered 200 with errcode %d: %s", said.ErrCode, cut(text, maxLine))
	case said.Code != 0 && said.Msg != "":
		return fmt.Errorf("it answered 200 with code %d: %s", said.Code, cut(text, maxLine))
	case said.StatusCode != 0, refused(said.OK), refused(said.Success):
		return fmt.Errorf("it answered 200 and refused the message: %s", cmp.Or(cut(text, maxLine), "no reason was given"))
	}
	return nil
}
