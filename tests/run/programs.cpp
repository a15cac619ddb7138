// What people run: it works inside `strict`, and builds work inside `build`.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(programs, World)

BOOST_AUTO_TEST_CASE(bash_and_coreutils_work_in_strict) {
    const std::string script = R"SH(set -euo pipefail
cd /tmp
mkdir -p a/b && touch a/b/c && ln -s c a/b/l && ln a/b/c a/b/h && cp -a a d && mv d e && chmod 750 e && rmdir --ignore-fail-on-non-empty e
seq 1000 | sort -rn | uniq | head -5 | tail -2 | tr '\n' ' ' | cut -d' ' -f1 | tee out | wc -c >/dev/null
dd if=/dev/zero of=big bs=1k count=64 2>/dev/null; truncate -s 10 big; split -b 3 big part.; cat part.* > joined; cmp big joined
sha256sum big | sha256sum -c >/dev/null 2>&1 || true; md5sum big >/dev/null; base64 big | base64 -d >/dev/null
stat -c %s big; du -s . >/dev/null; df . >/dev/null; date +%Y >/dev/null; uname -a >/dev/null; id >/dev/null; nproc >/dev/null
find . -type f -print0 | xargs -0 ls -l >/dev/null; grep -c . out; sed 's/9/x/' out; awk '{print NR}' out
tar cf - a | tar tf - >/dev/null; gzip -k big; gunzip -c big.gz | cmp - big; diff a e >/dev/null || true
timeout 5 sleep 0.01; nice true; env -i true; mktemp >/dev/null; mkfifo p; (echo through > p &) ; cat p
install -m 755 /bin/true t; ./t; shuf -i 1-3 >/dev/null; printf '%03d\n' 7; expr 2 + 3; test -w /tmp; realpath . ; readlink a/b/l
ps >/dev/null; (ulimit -n 64; true); trap 'echo trapped' EXIT; coproc cat; echo co >&"${COPROC[1]}"; read -r x <&"${COPROC[0]}"; echo $x; kill $COPROC_PID
diff <(echo same) <(echo same) && [[ abc =~ b ]] && declare -A m=([k]=v) && echo ${m[k]}
)SH";
    const Result ran = sandbox({"--profile", "strict", "--", "bash", "-c", script});
    BOOST_TEST(ran.status == 0, ran);
    BOOST_TEST(ran.printed("through\n"), ran);
    BOOST_TEST(ran.printed("co\nv\ntrapped\n"), ran);
}

BOOST_AUTO_TEST_CASE(python3_works_in_strict) {
    NEEDS(installed("python3"), "python3 is not installed");
    write(project / "script.py",
          R"PY(import asyncio, concurrent.futures, hashlib, json, multiprocessing, os, random, select, shutil, signal
import socket, sqlite3, subprocess, sys, tempfile, threading, time
def square(n): return n * n
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        open(place + "/f", "w").write("x" * 100000)
        shutil.copy(place + "/f", place + "/g")
        os.stat(place + "/g")
    threads = [threading.Thread(target=square, args=(i,)) for i in range(20)]
    [t.start() for t in threads]; [t.join() for t in threads]
    with concurrent.futures.ProcessPoolExecutor(2) as pool: assert sum(pool.map(square, range(10))) == 285
    with multiprocessing.Pool(2) as pool: assert pool.map(square, [3]) == [9]
    assert subprocess.run(["echo", "hi"], capture_output=True, text=True).stdout == "hi\n"
    a, b = socket.socketpair(); a.send(b"x"); assert b.recv(1) == b"x"
    server = socket.create_server(("127.0.0.1", 0)); client = socket.create_connection(server.getsockname())
    async def nap():
        await asyncio.sleep(0.01)
        p = await asyncio.create_subprocess_exec("true"); return await p.wait()
    assert asyncio.run(nap()) == 0
    db = sqlite3.connect("/tmp/db"); db.execute("create table t(x)"); db.execute("insert into t values (1)"); db.commit()
    signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(0.02)
    print(hashlib.sha256(os.urandom(8)).hexdigest()[:0] + "python is fine", json.dumps({"pid": os.getpid() > 1}))
)PY");
    const Result ran = sandbox({"--profile", "strict", "--", "/usr/bin/python3", "script.py"});
    BOOST_TEST(ran.status == 0, ran);
    BOOST_TEST(ran.out == "python is fine {\"pid\": true}\n", ran);
}

BOOST_AUTO_TEST_CASE(node_works_in_strict) {
    NEEDS(installed("node"), "node is not installed");
    write(
        project / "script.js",
        R"JS(const fs = require('fs'), cp = require('child_process'), net = require('net'), { Worker } = require('worker_threads');
fs.writeFileSync('/tmp/f', 'x'.repeat(1e5)); fs.readdirSync('/tmp'); fs.watch('/tmp', () => {}).close();
if (cp.execFileSync('echo', ['hi']).toString() !== 'hi\n') process.exit(1);
const server = net.createServer(s => s.end('bye')).listen(0, '127.0.0.1', () =>
  net.connect(server.address().port, '127.0.0.1').on('data', d => {
    server.close();
    new Worker('require("worker_threads").parentPort.postMessage(1)', { eval: true }).on('message', () =>
      require('zlib').gzip('x', () => require('crypto').randomBytes(8, () => console.log('node is fine ' + d))));
  }));
)JS");
    const Result ran = sandbox({"--profile", "strict", "--", "node", "script.js"});
    BOOST_TEST(ran.status == 0, ran);
    BOOST_TEST(ran.out == "node is fine bye\n", ran);
}

BOOST_AUTO_TEST_CASE(perl_works_in_strict) {
    NEEDS(installed("perl"), "perl is not installed");
    const Result ran =
        sandbox({"--profile", "strict", "--", "perl", "-MSocket", "-MFile::Temp", "-MTime::HiRes", "-MPOSIX", "-e",
                 "my ($fh, $name) = File::Temp::tempfile(); print $fh 'x'; close $fh; unlink $name; "
                 "socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die; my $pid = fork // die; "
                 "exit 0 unless $pid; waitpid $pid, 0; Time::HiRes::usleep(10); print `echo perl is fine`"});
    BOOST_TEST(ran.out == "perl is fine\n", ran);
}

BOOST_AUTO_TEST_CASE(git_works_on_a_repository_in_strict) {
    NEEDS(installed("git"), "git is not installed");
    const std::string identity = "git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main ";
    BOOST_TEST(sh("git -c init.defaultBranch=main init -q . && echo one > file && git add file && " + identity +
                  "commit -qm first")
                   .status == 0);
    const Result reading =
        strict_sh("git log --oneline | wc -l; git status --short; git show --stat | tail -1; git diff HEAD");
    BOOST_TEST(reading.out.starts_with("1\n"), reading);
    BOOST_TEST(reading.printed("1 file changed"), reading);
    BOOST_TEST(reading.status == 0, reading);
    const Result writing =
        sandbox({"--profile", "strict", "--rw", project.string(), "--", "sh", "-c",
                 "echo two >> file && " + identity +
                     "commit -qam second && git gc -q && git fsck && "
                     "git checkout -q -b other && git clone -q . /tmp/copy && git -C /tmp/copy log --oneline | wc -l"});
    BOOST_TEST(writing.out == "2\n", writing);
    BOOST_TEST(sh("git log --oneline | wc -l").out == "2\n");
}

BOOST_AUTO_TEST_CASE(sqlite3_works_in_strict) {
    NEEDS(installed("sqlite3"), "sqlite3 is not installed");
    const Result ran =
        sandbox({"--profile", "strict", "--rw", project.string(), "--", "sqlite3", "data.db",
                 "pragma journal_mode=wal; create table t(x); insert into t values (42); vacuum; select x from t;"});
    BOOST_TEST(ran.out == "wal\n42\n", ran);
    BOOST_TEST(sh("sqlite3 data.db 'select x+1 from t'").out == "43\n");
}

BOOST_AUTO_TEST_CASE(gcc_and_make_work_on_a_source_tree_in_build) {
    NEEDS(installed("g++") && installed("make"), "no compiler is installed");
    // Our own sources: the probes in C, the base layer in C++, built in parallel by a Makefile.
    const fs::path source = std::getenv("SANDBOX_TEST_SOURCE");
    directory(project / "core");
    fs::copy(source / "tests/run/probes", project / "probes");
    fs::remove(project / "probes/bare.c"); // it is linked in another way
    fs::copy(source / "core/base", project / "core/base");
    write(project / "Makefile",
          "C := $(patsubst %.c,%,$(wildcard probes/*.c))\nO := $(patsubst %.cpp,%.o,$(wildcard core/base/*.cpp))\n"
          "all: $(C) libbase.a\nprobes/%: probes/%.c ; $(CC) -D_GNU_SOURCE -pthread -o $@ $<\n"
          "%.o: %.cpp ; $(CXX) -std=c++20 -D_GNU_SOURCE -I. -c -o $@ $<\n"
          "libbase.a: $(O) ; $(AR) rcs $@ $^\n");
    BOOST_TEST(sh("chmod -R u+w . ; true").status == 0);
    if (started_by_root()) {
        Options as_root;
        as_root.as = &root_user();
        BOOST_TEST(run({"chown", "-R", user().name, project.string()}, as_root).status == 0);
    }
    const Result built = sandbox({"--profile", "build", "--", "make", "-j2", "-s"});
    BOOST_TEST(built.status == 0, built);
    BOOST_TEST(fs::exists(project / "libbase.a"));
    const Result ran = sandbox({"--profile", "build", "--", "probes/threads", "4"});
    BOOST_TEST(ran.out == "4000\n", ran);
}

BOOST_AUTO_TEST_CASE(a_threaded_program_works_in_strict) {
    const Result ran = inside("strict", {probe("threads"), "128"});
    BOOST_TEST(ran.out == "128000\n", ran);
}

BOOST_AUTO_TEST_CASE(dns_and_user_lookups_do_not_hang_without_a_network) {
    const Result looked_up =
        strict_sh("getent passwd root; getent hosts localhost; timeout 20 getent hosts name.invalid; echo $?");
    BOOST_TEST(looked_up.printed("root:"), looked_up);
    BOOST_TEST(looked_up.printed("2\n"), looked_up);
}

BOOST_AUTO_TEST_SUITE_END()
