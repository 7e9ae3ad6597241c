package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mirror/internal/realserver"
)

// playedHost is a host of the playbook: a network namespace with an sshd and a service manager.
type playedHost struct {
	name, address, space, state string
	known                       string // line of known_hosts
}

// TestHostsAreUpdatedWithoutAnInterruptedRequest brings two hosts up by the playbook, updates them, and has an update
// that does not start, while visitors ask both. `make experiment-hosts` runs it: Ansible takes its time.
func TestHostsAreUpdatedWithoutAnInterruptedRequest(t *testing.T) {
	if os.Getenv("MIRROR_EXPERIMENT") != "full" {
		t.Skip("an experiment (make experiment-hosts); the short form is TestRestartsLoseNoRequest")
	}
	playbook, err := exec.LookPath("ansible-playbook")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("it needs ansible-core, and root for network namespaces")
	}
	dir := t.TempDir()
	key, program, updated := newPrograms(t, dir)
	var hosts []*playedHost
	for i := range 2 {
		hosts = append(hosts, newPlayedHost(t, dir, key, i+1))
	}
	inventory := writeInventory(t, dir, key, hosts)
	play := func(binary string) error { return playOnce(t, playbook, dir, inventory, binary) }
	if err := play(program); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var asking []*visitors
	for _, h := range hosts {
		v := &visitors{at: h.address + ":8080", want: "home", pause: 10 * time.Millisecond}
		asking = append(asking, v)
		for _, keep := range []bool{true, false} {
			all.Go(func() { v.visit(ctx, keep) })
		}
	}
	if err := play(updated); err != nil {
		t.Error(err)
	}
	if err := play(filepath.Join(dir, "broken")); err == nil {
		t.Error("a program that does not start passes")
	}
	cancel()
	all.Wait()
	for i, v := range asking {
		t.Logf("%s: %d requests, %d of them sent again on a new connection, %d failed", hosts[i].name, v.served.Load(), v.again.Load(), len(v.failed))
		if len(v.failed) > 0 || v.served.Load() == 0 {
			t.Error(errors.Join(v.failed...))
		}
		if running, err := os.ReadFile(filepath.Join(hosts[i].state, "bin/mirror")); err != nil || !strings.HasSuffix(string(running), "another program") {
			t.Errorf("%s has not the program of before: %v", hosts[i].name, err)
		}
	}
}

// newPrograms writes a site, a key for SSH, and a program beside the one that is built: it differs, and does the same.
func newPrograms(t *testing.T, dir string) (key, program, updated string) {
	t.Helper()
	writeFiles(t, dir, map[string]string{"public/index.html": "home", "mirror.yaml": "version: 1\n", "broken": "#!/bin/sh\nexit 1\n"})
	key = filepath.Join(dir, "key")
	command(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	updated = filepath.Join(dir, "updated")
	if err := os.WriteFile(updated, append(text, "another program"...), 0o755); err != nil {
		t.Fatal(err)
	}
	return key, program, updated
}

// playOnce runs the playbook with a program.
func playOnce(t *testing.T, playbook, dir, inventory, binary string) error {
	t.Helper()
	began := time.Now()
	cmd := exec.Command(playbook, "-i", inventory, "../../deploy/ansible/mirror.yml", "-e", "mirror_binary="+binary)
	cmd.Env = append(os.Environ(), "ANSIBLE_PIPELINING=1", "ANSIBLE_LOCAL_TEMP="+filepath.Join(dir, "ansible"), "ANSIBLE_REMOTE_TEMP="+filepath.Join(dir, "remote"), "HOME="+dir)
	out, err := cmd.CombinedOutput()
	_, recap, _ := strings.Cut(string(out), "PLAY RECAP")
	if err != nil {
		recap = string(out)
	}
	t.Logf("the playbook took %s: %v\n%s", time.Since(began).Round(time.Second), err, recap)
	return err
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func newPlayedHost(t *testing.T, dir, key string, n int) *playedHost {
	t.Helper()
	h := &playedHost{
		name: fmt.Sprintf("host%d", n), address: fmt.Sprintf("10.213.%d.2", n), space: fmt.Sprintf("mirror-%d-%d", os.Getpid(), n), state: filepath.Join(dir, fmt.Sprintf("host%d", n)),
	}
	link := fmt.Sprintf("mv%d-%d", n, os.Getpid()%100000)
	if err := os.MkdirAll(h.state, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, "ip", "netns", "add", h.space)
	t.Cleanup(func() { command(t, "ip", "netns", "del", h.space) })
	for _, line := range []string{
		"ip link add " + link + " type veth peer name eth0 netns " + h.space,
		fmt.Sprintf("ip addr add 10.213.%d.1/30 dev %s", n, link),
		"ip link set " + link + " up",
		"ip -n " + h.space + " addr add " + h.address + "/30 dev eth0",
		"ip -n " + h.space + " link set eth0 up",
		"ip -n " + h.space + " link set lo up",
	} {
		words := strings.Fields(line)
		command(t, words[0], words[1:]...)
	}
	host := filepath.Join(h.state, "hostkey")
	command(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host)
	public, err := os.ReadFile(host + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	h.known = h.address + " " + string(public)
	config := fmt.Sprintf("ListenAddress %s\nHostKey %s\nPidFile none\nUsePAM no\nUseDNS no\nStrictModes no\nAuthorizedKeysFile %s.pub\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n", h.address, host, key)
	writeFiles(t, h.state, map[string]string{"sshd_config": config})
	_ = os.MkdirAll("/run/sshd", 0o755) // sshd says so itself where it is missing
	within := func(args ...string) *exec.Cmd {
		return exec.Command("ip", append([]string{"netns", "exec", h.space}, args...)...)
	}
	realserver.Start(t, within(realserver.Need(t, "sshd"), "-D", "-e", "-f", filepath.Join(h.state, "sshd_config")), h.address+":22")
	manager := within("python3", "../../testdata/hosts/manager.py", "run", filepath.Join(h.state, "units/mirror-serve.service"), h.address, "8080", h.state)
	manager.Env = append(os.Environ(), "MIRROR_SERVE="+filepath.Join(dir, "public"))
	realserver.Start(t, manager, h.address+":8080")
	return h
}

// writeInventory writes the inventory: where a host has its files, and how its service manager is called.
func writeInventory(t *testing.T, dir, key string, hosts []*playedHost) string {
	t.Helper()
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var text, known strings.Builder
	text.WriteString("mirror:\n  hosts:\n")
	for _, h := range hosts {
		tell := func(verb string) string {
			return fmt.Sprintf("python3 %s/testdata/hosts/manager.py %s %s", here, verb, h.state)
		}
		fmt.Fprintf(&text, "    %s: {ansible_host: %s, mirror_bin: %[3]s/bin, mirror_etc: %[3]s/etc, mirror_units: %[3]s/units, mirror_start: %q, mirror_restart: %q, mirror_url: %q}\n",
			h.name, h.address, h.state, tell("start"), tell("restart"), "http://"+h.address+":8080/")
		known.WriteString(h.known)
	}
	writeFiles(t, dir, map[string]string{"known_hosts": known.String()})
	connections, err := os.MkdirTemp("", "ssh") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(connections) }) // a temporary folder
	fmt.Fprintf(&text, "  vars:\n    ansible_user: root\n    ansible_ssh_private_key_file: %s\n    ansible_ssh_common_args: -o UserKnownHostsFile=%s -o ControlMaster=auto -o ControlPersist=30 -o ControlPath=%s/%%C\n"+
		"    mirror_become: false\n    mirror_service: mirror-serve\n    mirror_load: 'true'\n    mirror_config: %s\n    mirror_tries: 5\n    mirror_deploy: %s/units\n",
		key, filepath.Join(dir, "known_hosts"), connections, filepath.Join(dir, "mirror.yaml"), dir)
	inventory := filepath.Join(dir, "hosts.yml")
	units := map[string]string{"units/mirror-serve.socket": deployFile(t, "mirror-serve.socket")}
	units["units/mirror-serve.service"] = deployFile(t, "mirror-serve.service")
	writeFiles(t, dir, units)
	if err := os.WriteFile(inventory, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return inventory
}
