package notify

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// answers are bodies of answers with status 200, as the services document them or send them.
var answers = []struct {
	service, body string
	refused       bool
}{
	{"DingTalk", `{"errcode":0,"errmsg":"ok"}`, false},
	{"DingTalk", `{"errcode":310000,"errmsg":"keywords not in content, more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"}`, true},
	{"DingTalk", `{"errcode":310000}`, true},
	{"Feishu", `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, false},
	{"Feishu, older", `{"Extra":null,"StatusCode":0,"StatusMessage":"success"}`, false},
	{"Feishu", `{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}`, true},
	{"Feishu", `{"code":9499,"msg":"Bad Request","data":{}}`, true},
	{"Feishu", `{"code":19021,"StatusCode":0}`, true},
	{"Feishu, older", `{"StatusCode":1,"StatusMessage":"param invalid"}`, true},
	{"WeCom", `{"errcode":0,"errmsg":"ok"}`, false},
	{"WeCom", `{"errcode":93000,"errmsg":"invalid webhook url, hint: [1698]"}`, true},
	{"Slack, webhook", `ok`, false},
	{"Slack, API", `{"ok":true,"channel":"C1","ts":"1503435956.000247","message":{"text":"Here's a message","type":"message"}}`, false},
	{"Slack, API", `{"ok":false,"error":"channel_not_found"}`, true},
	{"Telegram", `{"ok":true,"result":{"message_id":7,"date":1700000000,"text":"x"}}`, false},
	{"Telegram", `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, true},
	{"Discord", ``, false},
	{"Discord, wait", `{"id":"1","type":0,"content":"x","channel_id":"2","author":{"id":"3"},"embeds":[]}`, false},
	{"Discord", `{"message":"Unknown Webhook","code":10015}`, true},
	{"Discord", `{"message":"You are being rate limited.","retry_after":64.57,"global":false}`, true},
	{"ntfy", `{"id":"Ks","time":1700000000,"expires":1700043200,"event":"message","topic":"t","message":"x"}`, false},
	{"ntfy", `{"code":40301,"http":403,"error":"forbidden","link":"https://ntfy.sh/docs/publish/#authentication"}`, true},
	{"Gotify", `{"id":25,"appid":5,"message":"x","title":"y","priority":2,"date":"2018-02-27T19:36:10Z"}`, false},
	{"Gotify", `{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}`, true},
	{"Mattermost", `ok`, false},
	{"Mattermost, API", `{"id":"7","create_at":1700000000,"user_id":"u","channel_id":"c","message":"x"}`, false},
	{"Mattermost", `{"id":"web.incoming_webhook.invalid.app_error","message":"Invalid webhook.","detailed_error":"","request_id":"r","status_code":400}`, true},
	{"Teams, connector", `1`, false},
	{"Teams, connector", `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId tcid=0`, true},
	{"Teams, workflow", `{"error":{"code":"DirectApiAuthorizationRequired","message":"The request must be authenticated"}}`, true},
	{"Matrix", `{"event_id":"$YUwRidLecu:example.com"}`, false},
	{"Matrix", `{"errcode":"M_FORBIDDEN","error":"You are not a member of the room"}`, true},
	{"Pushover", `{"status":1,"request":"647d2300-702c-4b38-8b2f-d56326ae460b"}`, false},
	{"Pushover", `{"user":"invalid","errors":["user identifier is invalid"],"status":0,"request":"5042853c"}`, true},
	{"Pushover", `{"status":0,"request":"5042853c"}`, true},
	{"Google Chat", `{"name":"spaces/A/messages/B","text":"x"}`, false},
	{"Google Chat", `{"error":{"code":400,"message":"Message cannot be empty.","status":"INVALID_ARGUMENT"}}`, true},
	{"Rocket.Chat", `{"success":true}`, false},
	{"Rocket.Chat", `{"success":false,"error":"Invalid integration id or token provided."}`, true},
	{"Zulip", `{"id":42,"msg":"","result":"success"}`, false},
	{"Zulip", `{"code":"STREAM_DOES_NOT_EXIST","msg":"Stream 'x' does not exist","result":"error"}`, true},
	{"PagerDuty", `{"status":"success","message":"Event processed","dedup_key":"k"}`, false},
	{"PagerDuty", `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect"]}`, true},
	{"Bark", `{"code":200,"message":"success","timestamp":1700000000}`, false},
	{"Bark", `{"code":400,"message":"failed to get device token: failed to get [x] device token from database","timestamp":1700000000}`, true},
	{"PushPlus", `{"code":200,"msg":"请求成功","data":"f6b9"}`, false},
	{"PushPlus", `{"code":903,"msg":"无效的用户token","data":null}`, true},
	{"ServerChan", `{"code":0,"message":"","data":{"pushid":"1","readkey":"r","error":"SUCCESS","errno":0}}`, false},
	{"ServerChan", `{"code":40001,"message":"[AUTH]错误的Key","info":"错误的Key","args":[null],"scode":461}`, true},
	{"OneBot", `{"status":"ok","retcode":0,"data":{"message_id":1}}`, false},
	{"OneBot", `{"status":"failed","retcode":100,"data":null}`, true},
	{"LINE", `{"status":200,"message":"ok"}`, false},
	{"LINE", `{"status":401,"message":"Invalid access token"}`, true},
	{"Join", `{"success":true,"errorMessage":""}`, false},
	{"Join", `{"success":false,"errorMessage":"No devices to send to"}`, true},
	{"GraphQL", `{"data":null,"errors":[{"message":"Not authorized"}]}`, true},
	{"others", `{"status":"queued","error":null,"errors":[],"code":"OK"}`, false},
	{"others", `{"message":"Workflow was started"}`, false},
	{"others", `{"code":1,"msg":"success"}`, false},
	{"others", `{"success":true,"error":""}`, false},
	{"others", `Accepted`, false},
	{"others", `[]`, false},
	{"others", `null`, false},
	{"others", `<html>thanks</html>`, false},
	{"an echo", `{"schema":"mirror.event/v1","id":"1","title":"t","text":"x","events":[{"kind":"drift","counts":{"stale":1}}]}`, false},
}

// TestRefusalInTheBody has services answer 200, by each way in which a user may reach them.
func TestRefusalInTheBody(t *testing.T) {
	var body string
	address, _ := receiver(t, func(_ int, w http.ResponseWriter) { _, _ = io.WriteString(w, body) })
	host := strings.TrimPrefix(address, "http://")
	for _, to := range []string{address + "/hook", "generic://" + host + "/hook?disabletls=yes", "generic+http://" + host + "/hook?template=json"} {
		for _, a := range answers {
			body = a.body
			got := Test(t.Context(), []Recipient{{URL: Secret(to)}})[0].Err
			if (got != nil) != a.refused {
				t.Errorf("%s by %s: %s: got %v", a.service, Redact(to), a.body, got)
			}
		}
	}
	body = `{"errcode":310000,"errmsg":"keywords not in content"}`
	if err := Test(t.Context(), []Recipient{{URL: Secret("generic://" + host + "/hook?disabletls=yes")}})[0].Err; err == nil || !strings.Contains(err.Error(), "keywords not in content") {
		t.Errorf("the reason is not told: %v", err)
	}
}
