/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs in the sandbox: honest ones pass, attacks get nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/pool.h"
#include "eval/sandbox.h"
#include "eval/sandbox_internal.h"

/* A sandbox of each kind that works here. */
struct fixture {
    struct sandbox *sandbox[2];
    size_t n;
};

static struct fixture *open_all(double timeout)
{
    static const int kind[] = {SANDBOX_OWN, SANDBOX_BUBBLEWRAP};
    struct fixture *f = oy_calloc(1, sizeof *f);

    for (size_t i = 0; i < 2; i++) {
        struct sandbox_options options;
        struct oy_error err = {0};
        sandbox_options_init(&options);
        options.kind = kind[i];
        options.timeout = timeout;
        f->sandbox[f->n] = sandbox_new(&options, &err);
        if (f->sandbox[f->n])
            f->n++;
        else
            printf("SKIPPED: sandbox %d: %s\n", kind[i], err.message);
    }
    return f;
}

static void close_all(struct fixture *f)
{
    for (size_t i = 0; i < f->n; i++)
        sandbox_free(f->sandbox[i]);
    oy_free(f);
}

static struct oy_text text_of(const char *text)
{
    return (struct oy_text){text, strlen(text)};
}

static struct sandbox_verdict run(const struct sandbox *sandbox,
                                  const char *given, const char *candidate,
                                  const char *test)
{
    const struct sandbox_program program = {text_of(candidate), text_of(given),
                                            text_of(test)};
    struct sandbox_verdict verdict;
    struct oy_error err = {0};

    assert_int_equal(sandbox_run(sandbox, &program, &verdict, &err), 0);
    return verdict;
}

struct sample {
    const char *what, *candidate, *test;
};

static void expect(const struct sample *sample, size_t n, int passed,
                   double timeout)
{
    struct fixture *f = open_all(timeout);
    int bad = 0;

    for (size_t s = 0; s < f->n; s++) {
        for (size_t i = 0; i < n; i++) {
            const struct sandbox_verdict verdict =
                run(f->sandbox[s], "", sample[i].candidate, sample[i].test);
            if (verdict.passed == passed)
                continue;
            printf("kind %d: %s: %s\n", (int)sandbox_kind(f->sandbox[s]),
                   sample[i].what, verdict.text);
            bad = 1;
        }
    }
    close_all(f);
    assert_false(bad);
}

#define SAMPLES(array) (array), sizeof(array) / sizeof *(array)

/* ---- honest programs ---- */

static void honest_programs_pass(void **state)
{
    static const struct sample sample[] = {
        {"a function", "def f(x): return x + 1", "assert f(1) == 2"},
        {"a check", "def f(x): return x + 1",
         "def check(candidate):\n    assert candidate(1) == 2\n\ncheck(f)"},
        {"no last LF", "def f(x):\n    return x", "assert f('a') == 'a'"},
        {"CR LF", "def f(x):\r\n    return x\r\n", "assert f(1) == 1"},
        {"tabs, a form feed", "\f\ndef f(x):\n\treturn x", "assert f(1) == 1"},
        {"from __future__ first",
         "from __future__ import annotations\ndef f(x: y) -> z: return x",
         "assert f(1) == 1"},
        {"a last backslash", "def f(x): return x\ny = 1 \\",
         "assert f(1) == 1"},
        {"a class of its own",
         "class Pair:\n"
         "    def __init__(self, a, b): self.a, self.b = a, b\n"
         "def widest(pairs): return max(p.b - p.a for p in pairs)",
         "assert widest([Pair(1, 2), Pair(3, 9)]) == 6"},
        {"a generator", "def f(x): yield from x",
         "assert list(f([1, 2])) == [1, 2]"},
        {"an endless generator",
         "def f():\n    n = 0\n    while True:\n        yield n\n        n += "
         "1",
         "g = f()\nassert [next(g) for _ in range(3)] == [0, 1, 2]"},
        {"a builtin's name", "def sum(a, b): return a + b",
         "assert sum(1, 2) == 3"},
        {"an argument that is changed", "def f(x):\n    x.sort()\n    return x",
         "a = [2, 1]\nassert f(a) is a\nassert a == [1, 2]"},
        {"a truth", "import re\ndef f(x): return re.search('a', x)",
         "assert f('bab')\nassert not f('b')"},
        {"a named tuple",
         "from collections import namedtuple\nP = namedtuple('P', 'x y')\n"
         "def f(): return P(1, 2)",
         "assert f() == (1, 2) and f().x == 1 and len(f()) == 2"},
        {"numbers of the library",
         "from fractions import Fraction\nfrom decimal import Decimal\n"
         "from collections import Counter\n"
         "def f(): return [Fraction(1, 3), Decimal('1.5'), Counter('aab')]",
         "from fractions import Fraction\nfrom decimal import Decimal\n"
         "from collections import Counter\n"
         "assert f() == [Fraction(1, 3), Decimal('1.5'), Counter('aab')]"},
        {"its modules", "import math\ndef f(x): return x * math.pi",
         "assert math.isclose(f(1), 3.14159265, rel_tol=1e-6)"},
        {"a function of the test's", "def f(g): return g(3) + 1",
         "assert f(lambda x: x * 2) == 7"},
        {"an error", "def f(x): raise ValueError('no')",
         "try:\n    f(1)\n    assert False\n"
         "except ValueError as e:\n    assert str(e) == 'no'"},
        {"an event loop",
         "import asyncio\nasync def g(x): return x\n"
         "def f(x): return asyncio.run(g(x))",
         "assert f(3) == 3"},
        {"threads",
         "from concurrent.futures import ThreadPoolExecutor\n"
         "def f(x):\n    with ThreadPoolExecutor(8) as e:\n"
         "        return list(e.map(lambda v: v + 1, x))",
         "assert f([1, 2]) == [2, 3]"},
        {"files in /tmp",
         "def f(x):\n    with open('a', 'w') as o: o.write(x)\n"
         "    return open('/tmp/a').read()",
         "assert f('b') == 'b'"},
        {"much", "def f(n): return list(range(n))",
         "assert sum(f(200000)) == 19999900000"},
        {"prints", "print('x' * 1000000)\ndef f(): print('y'); return 1",
         "assert f() == 1"},
    };

    (void)state;
    expect(SAMPLES(sample), 1, 10);
}

static void wrong_programs_fail(void **state)
{
    static const struct sample sample[] = {
        {"wrong", "def f(x): return x", "assert f(1) == 2"},
        {"nothing", "", "assert f(1) == 2"},
        {"no program", "def f(x", "assert True"},
        {"half a string", "x = '''", "assert True"},
        {"an unknown name", "def f(x): return y", "assert f(1) == 2"},
        {"input", "def f(): return input()", "assert f() == ''"},
        {"NUL", "x = 1 \x01", "assert True"},
    };
    struct fixture *f = open_all(3);
    const struct sandbox_program nul = {
        {"x = 1\0", 6}, text_of(""), text_of("assert x == 1")};

    (void)state;
    for (size_t i = 0; i < f->n; i++) {
        struct sandbox_verdict verdict;
        struct oy_error err = {0};
        assert_int_equal(sandbox_run(f->sandbox[i], &nul, &verdict, &err), 0);
        assert_false(verdict.passed);
    }
    close_all(f);
    expect(SAMPLES(sample), 0, 3);
}

/* ---- a verdict that cannot be forged ---- */

static void leaving_early_is_no_pass(void **state)
{
    static const struct sample sample[] = {
        {"sys.exit(0)", "import sys\nsys.exit(0)", "assert f() == 1"},
        {"sys.exit(0) later", "import sys\ndef f(): sys.exit(0)",
         "assert f() == 1"},
        {"os._exit(0)", "import os\nos._exit(0)", "assert f() == 1"},
        {"os._exit(0) later", "import os\ndef f(): os._exit(0)",
         "assert f() == 1"},
        {"SystemExit", "def f(): raise SystemExit", "assert f() == 1"},
    };

    (void)state;
    expect(SAMPLES(sample), 0, 3);
}

static void values_that_equal_everything_do_not_pass(void **state)
{
    static const struct sample sample[] = {
        {"equal to everything",
         "class E:\n    __eq__ = lambda s, o: True\n"
         "    __ne__ = lambda s, o: False\n    __hash__ = lambda s: 0\n"
         "def f(): return E()",
         "assert f() == 1"},
        {"not unequal",
         "class E:\n    __eq__ = lambda s, o: True\n"
         "    __ne__ = lambda s, o: False\ndef f(): return E()",
         "assert not f() != 1"},
        {"an equal number",
         "class E(int):\n    __eq__ = lambda s, o: True\n"
         "    __hash__ = lambda s: 1\ndef f(): return E()",
         "assert f() == 1"},
        {"an equal list",
         "class E(list):\n    __eq__ = lambda s, o: True\n"
         "def f(): return E()",
         "assert f() == [1]"},
        {"in a list",
         "class E:\n    __eq__ = lambda s, o: True\ndef f(): return [E()]",
         "assert f() == [1]"},
        {"an equal type",
         "class M(type):\n    __eq__ = lambda s, o: True\n"
         "    __hash__ = lambda s: 1\nclass E(metaclass=M): pass\n"
         "def f(): return E",
         "assert f() == 1"},
        {"near everything",
         "class E:\n    __lt__ = __gt__ = __le__ = lambda s, o: True\n"
         "    __sub__ = __rsub__ = __abs__ = lambda s, *o: s\n"
         "def f(): return E()",
         "assert abs(f() - 1) < 1e-6"},
        {"holds everything",
         "class E:\n    __contains__ = lambda s, o: True\n"
         "    __iter__ = lambda s: iter(())\ndef f(): return E()",
         "assert 1 in f()"},
    };

    (void)state;
    expect(SAMPLES(sample), 0, 3);
}

static void names_of_its_own_do_not_pass(void **state)
{
    static const struct sample sample[] = {
        {"abs of its own", "def abs(x): return 0\ndef f(): return 5",
         "assert abs(f() - 1) < 1e-6"},
        {"math of its own",
         "class math:\n    isclose = lambda *a, **k: True\n"
         "def f(): return 5",
         "assert math.isclose(f(), 1)"},
        {"AssertionError of its own",
         "import builtins\nclass A(BaseException): pass\n"
         "builtins.AssertionError = A\n__builtins__ = {}\n"
         "def f(): return 5",
         "assert f() == 1"},
        {"check of its own", "def check(f): pass\ndef f(): return 5",
         "def check(c):\n    assert c() == 1\ncheck(f)"},
        {"a decorator of the test",
         "def f(): return 5\n@lambda g: lambda c: None",
         "def check(c):\n    assert c() == 1\ncheck(f)"},
        {"a statement that takes the test in", "def f(): return 5\nif 0: \\",
         "assert f() == 1"},
    };

    (void)state;
    expect(SAMPLES(sample), 0, 3);
}

static void what_is_written_to_the_judge_does_not_pass(void **state)
{
    static const struct sample sample[] = {
        {"all descriptors",
         "import os\ndef f():\n    for fd in range(1024):\n"
         "        try: os.write(fd, b'passed')\n"
         "        except OSError: pass\n    return 5",
         "assert f() == 1"},
        {"closed descriptors",
         "import os\nos.closerange(0, 1024)\ndef f(): return 5",
         "assert f() == 1"},
        {"frames, strings and descriptors",
         "import gc, os, sys\ndef f():\n"
         "    frame = sys._getframe()\n    found = []\n    while frame:\n"
         "        found += [v for v in frame.f_locals.values()"
         " if isinstance(v, (str, bytes))]\n        frame = frame.f_back\n"
         "    for o in gc.get_objects():\n"
         "        if isinstance(o, dict):\n"
         "            found += [v for v in list(o.values())"
         " if isinstance(v, (str, bytes))]\n"
         "    for v in found:\n        for fd in range(3, 16):\n"
         "            try: os.write(fd, (v if isinstance(v, bytes)"
         " else v.encode()) + b'passed')\n"
         "            except Exception: pass\n    return 5",
         "assert f() == 1"},
        {"the judge's own code",
         "import __main__, os\n"
         "def f():\n    try: __main__.main()\n    except BaseException: pass\n"
         "    os.write(3, b'passed')\n    os._exit(0)",
         "assert f() == 1"},
        {"a message of its own",
         "import os\nfrom _pickle import dumps\nclass X:\n"
         "    def __reduce__(self): return (exec, ('import os;"
         "os.write(3, b\"passed\");os._exit(0)',))\n"
         "def f():\n    d = dumps(('value', X(), None))\n"
         "    for fd in range(3, 16):\n"
         "        try: os.write(fd, len(d).to_bytes(8, 'little') + d)\n"
         "        except OSError: pass\n    return 1",
         "assert f() == 1\nassert False"},
        {"a class by message",
         "import os\nfrom _pickle import dumps\nclass X:\n"
         "    def __reduce__(self): return (type, ('E', (), {'__eq__': "
         "bool}))\n"
         "def f():\n    d = dumps(('value', X(), None))\n"
         "    for fd in range(3, 16):\n"
         "        try: os.write(fd, len(d).to_bytes(8, 'little') + d)\n"
         "        except OSError: pass\n    return 1",
         "assert f() == 7"},
    };

    (void)state;
    expect(SAMPLES(sample), 0, 3);
}

static void hooks_and_signals_do_not_pass(void **state)
{
    static const struct sample sample[] = {
        {"a module in the way",
         "open('/tmp/decimal.py', 'w').write("
         "'import os; os.write(3, b\"passed\"); os._exit(0)')\n"
         "from decimal import Decimal\ndef f(): return Decimal(1)",
         "assert f() == 2"},
        {"sys.settrace",
         "import sys\ndef trace(frame, *a):\n    frame.f_trace_opcodes = True\n"
         "    return trace\nsys.settrace(trace)\ndef f(): return 5",
         "assert f() == 1"},
        {"atexit and __del__",
         "import atexit, os\natexit.register(os._exit, 0)\nclass D:\n"
         "    def __del__(self): os._exit(0)\nd = D()\ndef f(): return 5",
         "assert f() == 1"},
        {"memory overwritten",
         "import ctypes\ndef f(): ctypes.memset(0, 1, 1 << 20)",
         "assert f() == 1"},
        {"the judge killed",
         "import posix, signal\ndef f():\n    posix.kill(posix.getppid(), 9)\n"
         "    return 5",
         "assert f() == 1"},
        {"all killed", "import posix\ndef f():\n    posix.kill(-1, 9)",
         "assert f() == 1"},
        {"the judge's alarm",
         "import posix\ndef f():\n    posix.kill(posix.getppid(), 14)\n"
         "    return 5",
         "assert f() == 1"},
        {"ptrace",
         "import ctypes, posix\nlibc = ctypes.CDLL(None)\n"
         "def f():\n    libc.ptrace(16, posix.getppid(), 0, 0)\n    return 1",
         "assert f() == 1"},
        {"another's memory",
         "import ctypes, posix\nlibc = ctypes.CDLL(None)\n"
         "def f():\n    libc.process_vm_writev(posix.getppid(), 0, 0, 0, 0, "
         "0)\n"
         "    return 1",
         "assert f() == 1"},
    };

    (void)state;
    expect(SAMPLES(sample), 0, 3);
}

static void given_functions_are_the_tests(void **state)
{
    static const char given[] = "def helper(x):\n    return x + 1\n\n"
                                "def f(x):\n    \"\"\"What is asked.\"\"\"\n";
    static const char test[] = "assert helper(f(1)) == 3";
    struct fixture *f = open_all(3);

    (void)state;
    for (size_t i = 0; i < f->n; i++) {
        const struct sandbox *s = f->sandbox[i];
        char program[300];
        snprintf(program, sizeof program, "%s    return x + 1\n", given);
        assert_true(run(s, given, program, test).passed);
        snprintf(program, sizeof program,
                 "%s    return 0\ndef helper(x): return 3\n", given);
        assert_true(run(s, "", program, test).passed);
        assert_false(run(s, given, program, test).passed);
    }
    close_all(f);
}

/* ---- limits ---- */

static void bombs_are_contained(void **state)
{
    static const struct sample sample[] = {
        {"an endless loop", "def f():\n    while True: pass",
         "assert f() == 1"},
        {"one at the start", "while True: pass", "assert True"},
        {"one with signals ignored",
         "import signal, time\nfor s in range(1, 65):\n"
         "    try: signal.signal(s, signal.SIG_IGN)\n"
         "    except (OSError, ValueError): pass\nsignal.alarm(0)\n"
         "def f():\n    while True:\n"
         "        try: time.sleep(100)\n        except BaseException: pass",
         "assert f() == 1"},
        {"the judge stopped",
         "import posix, time\ndef f():\n    posix.kill(posix.getppid(), 19)\n"
         "    time.sleep(100)",
         "assert f() == 1"},
        {"a thread bomb",
         "import threading, time\ndef f():\n    while True:\n"
         "        try: threading.Thread(target=time.sleep, "
         "args=(99,)).start()\n"
         "        except RuntimeError: pass",
         "assert f() == 1"},
        {"a memory bomb",
         "def f():\n    l = []\n    while True: l.append('x' * 10**6)",
         "assert f() == 1"},
        {"a recursion bomb",
         "import sys\nsys.setrecursionlimit(10**9)\ndef g(x): return [g(x)]\n"
         "def f(): return g(1)",
         "assert f() == 1"},
        {"a flood of output", "def f():\n    while True: print('x' * 10**6)",
         "assert f() == 1"},
        {"a flood of messages",
         "import os\ndef f():\n    while True:\n"
         "        for fd in range(3, 16):\n"
         "            try: os.write(fd, b'\\0' * 4096)\n"
         "            except OSError: pass",
         "assert f() == 1"},
        {"a big message", "def f(): return 'x' * (300 << 20)",
         "assert len(f()) == 300 << 20"},
        {"a big file",
         "def f():\n    with open('/tmp/big', 'wb') as o:\n"
         "        for _ in range(10000): o.write(bytes(1 << 20))\n    return 1",
         "assert f() == 1"},
        {"many files",
         "import itertools\ndef f():\n    for i in itertools.count(): "
         "open('/tmp/%d' % i, 'w').close()",
         "assert f() == 1"},
        {"a core dump", "import ctypes\ndef f(): ctypes.string_at(0)",
         "assert f() == 1"},
        {"a time bomb",
         "import time\nT = time.time()\nclass E:\n"
         "    def __len__(self):\n        time.sleep(100)\n        return 1\n"
         "def f(): return E()",
         "assert len(f()) == 1"},
    };

    (void)state;
    expect(SAMPLES(sample), 0, 1);
}

/* The kernel does not count root's processes, which those in root's
 * bubblewrap are. */
static void a_fork_bomb_is_contained(void **state)
{
    static const char bomb[] = "import posix\ndef f():\n    while True:\n"
                               "        try: posix.fork()\n"
                               "        except OSError: pass";
    struct fixture *f = open_all(0.5);

    (void)state;
    for (size_t i = 0; i < f->n; i++) {
        if (geteuid() || sandbox_kind(f->sandbox[i]) == SANDBOX_OWN)
            assert_false(
                run(f->sandbox[i], "", bomb, "assert f() == 1").passed);
    }
    close_all(f);
}

/* Processes of the judge that are alive. */
static int count_judges(void)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int n = 0;

    while ((entry = readdir(folder))) {
        char path[300], text[4096];
        snprintf(path, sizeof path, "/proc/%.200s/cmdline", entry->d_name);
        const int fd = open(path, O_RDONLY);
        if (fd < 0)
            continue;
        const ssize_t len = read(fd, text, sizeof text);
        close(fd);
        n += len > 0 && memmem(text, (size_t)len, "so that no program can", 22);
    }
    closedir(folder);
    return n;
}

static void no_process_is_left(void **state)
{
    static const char daemon[] =
        "import posix, time\n"
        "def f():\n"
        "    for _ in range(3):\n"
        "        if posix.fork() == 0:\n"
        "            posix.setsid()\n"
        "            if posix.fork() == 0: time.sleep(600)\n"
        "            time.sleep(600)\n"
        "    return 1";
    struct fixture *f = open_all(3);
    const int before = count_judges();

    (void)state;
    for (size_t i = 0; i < f->n; i++) {
        run(f->sandbox[i], "", daemon, "assert f() == 1");
        for (int wait = 0; count_judges() > before && wait < 100; wait++)
            usleep(10000);
        assert_int_equal(count_judges(), before);
    }
    close_all(f);
}

/* ---- nothing of the user's ---- */

static void nothing_is_seen_or_changed(void **state)
{
    static const struct sample sample[] = {
        {"/etc/shadow", "def f(): return open('/etc/shadow').read() and 1",
         "assert f() == 1"},
        {"/etc/passwd", "def f(): return open('/etc/passwd').read() and 1",
         "assert f() == 1"},
        {"homes", "import os\ndef f(): return len(os.listdir('/home')) >= 0",
         "assert f()"},
        {"/proc", "import os\ndef f(): return len(os.listdir('/proc')) > 0",
         "assert f()"},
        {"the parent's variables",
         "def f():\n    import os\n"
         "    return open('/proc/%d/environ' % os.getppid()).read() or 1",
         "assert f()"},
        {"variables", "import os\ndef f(): return 'BOX_SECRET' in os.environ",
         "assert f()"},
        {"/usr is written",
         "def f(): open('/usr/oyster', 'w').close(); return 1",
         "assert f() == 1"},
        {"the root is written",
         "def f(): open('/oyster', 'w').close(); return 1", "assert f() == 1"},
        {"the interpreter is written",
         "import os\ndef f(): open(os.__file__, 'a').close(); return 1",
         "assert f() == 1"},
        {"a link out of /tmp",
         "import posix\ndef f():\n    posix.symlink('/usr', '/tmp/usr')\n"
         "    open('/tmp/usr/oyster', 'w').close()\n    return 1",
         "assert f() == 1"},
        {"a hard link",
         "import os, posix\ndef f():\n"
         "    posix.link(os.__file__, '/tmp/os.py')\n    return 1",
         "assert f() == 1"},
        {"mount",
         "import ctypes\ndef f():\n"
         "    ctypes.CDLL(None).mount(b'none', b'/tmp', b'proc', 0, 0)\n"
         "    return 1",
         "assert f() == 1"},
        {"chroot", "import posix\ndef f(): posix.chroot('/tmp'); return 1",
         "assert f() == 1"},
        {"a user namespace",
         "import ctypes\ndef f():\n"
         "    ctypes.CDLL(None).unshare(0x10000000)\n    return 1",
         "assert f() == 1"},
        {"a socket",
         "import socket\ndef f():\n"
         "    try: socket.socket()\n    except OSError: pass\n    return 1",
         "assert f() == 1"},
        {"setuid", "import posix\ndef f(): posix.setuid(0); return 1",
         "assert f() == 1"},
        {"a device",
         "import posix\ndef f(): posix.mknod('/tmp/d', 0o60666, 2049); return "
         "1",
         "assert f() == 1"},
    };

    (void)state;
    setenv("BOX_SECRET", "1", 1);
    expect(SAMPLES(sample), 0, 3);
    unsetenv("BOX_SECRET");
}

/* A listener of ours that nobody may reach, and a file in the folder of the
 * user's that nobody may read. */
static void files_and_ports_of_ours_are_out_of_reach(void **state)
{
    struct fixture *f = open_all(3);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    char folder[] = "/tmp/box-XXXXXX", path[64], program[600];

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    getsockname(fd, (struct sockaddr *)&address, &len);
    assert_non_null(mkdtemp(folder));
    chmod(folder, 0777);
    snprintf(path, sizeof path, "%s/secret", folder);
    close(open(path, O_CREAT | O_WRONLY, 0666));
    snprintf(program, sizeof program,
             "import os, socket\ndef f():\n"
             "    n = 0\n"
             "    try: n += open('%s').read() == ''\n"
             "    except OSError: pass\n"
             "    try: n += os.listdir('%s') != []\n"
             "    except OSError: pass\n"
             "    if n == 0: socket.create_connection(('127.0.0.1', %d), 1)\n"
             "    return n",
             path, folder, ntohs(address.sin_port));
    for (size_t i = 0; i < f->n; i++) {
        const struct sandbox_verdict verdict =
            run(f->sandbox[i], "", program, "assert f() == 0");
        assert_string_equal(verdict.text, "failed: it was killed by signal 31");
    }
    assert_int_equal(accept(fd, NULL, NULL), -1);
    close(fd);
    unlink(path);
    rmdir(folder);
    close_all(f);
}

/* ---- many, and none ---- */

struct many {
    const struct sandbox *sandbox;
    int good[40];
};

static void run_one(void *arg, size_t tile, int worker)
{
    struct many *many = arg;
    char program[64];

    (void)worker;
    snprintf(program, sizeof program, "def f(): return %zu", tile % 2);
    many->good[tile] =
        run(many->sandbox, "", program, "assert f() == 1").passed;
}

static void many_run_at_once(void **state)
{
    struct fixture *f = open_all(20);
    struct oy_error err = {0};
    struct oy_pool *pool = oy_pool_new(4, &err);

    (void)state;
    for (size_t i = 0; i < f->n; i++) {
        struct many many = {.sandbox = f->sandbox[i]};
        oy_pool_run(pool, 40, run_one, &many);
        for (int j = 0; j < 40; j++)
            assert_int_equal(many.good[j], j % 2);
    }
    oy_pool_free(pool);
    close_all(f);
}

static void without_namespaces_the_verdict_holds(void **state)
{
    struct sandbox_options options;
    struct oy_error err = {0};
    struct sandbox *sandbox;

    (void)state;
    sandbox_options_init(&options);
    options.kind = SANDBOX_NONE;
    options.timeout = 1;
    sandbox = sandbox_new(&options, &err);
    if (!sandbox) {
        printf("SKIPPED: %s\n", err.message);
        return;
    }
    assert_int_equal(sandbox_kind(sandbox), SANDBOX_NONE);
    assert_true(run(sandbox, "", "x = 1", "assert x == 1").passed);
    assert_false(run(sandbox, "", "exit(0)", "assert x == 1").passed);
    assert_string_equal(run(sandbox, "", "while 1: pass", "x").text,
                        "timed out");
    sandbox_free(sandbox);
}

static void what_is_missing_is_told(void **state)
{
    struct sandbox_options options;
    struct oy_error err = {0};
    char *path = oy_strdup(getenv("PATH"));

    (void)state;
    sandbox_options_init(&options);
    options.python = "/nowhere/python3";
    assert_null(sandbox_new(&options, &err));
    assert_int_equal(err.code, OY_UNAVAILABLE);
    assert_non_null(strstr(err.message, "/nowhere/python3"));

    err = (struct oy_error){0};
    options.python = "/bin/false";
    assert_null(sandbox_new(&options, &err));
    assert_int_equal(err.code, OY_UNAVAILABLE);

    err = (struct oy_error){0};
    options.python = NULL;
    options.kind = SANDBOX_BUBBLEWRAP;
    struct sandbox_python python;
    if (!sandbox_find_python(NULL, 0, &python, &err)) {
        options.python = python.program;
        setenv("PATH", "/nowhere", 1);
        assert_null(sandbox_new(&options, &err));
        assert_int_equal(err.code, OY_UNAVAILABLE);
        assert_non_null(strstr(err.message, "bubblewrap is not installed"));
        setenv("PATH", path, 1);
        sandbox_python_release(&python);
    }
    oy_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_programs_pass),
        cmocka_unit_test(wrong_programs_fail),
        cmocka_unit_test(leaving_early_is_no_pass),
        cmocka_unit_test(values_that_equal_everything_do_not_pass),
        cmocka_unit_test(names_of_its_own_do_not_pass),
        cmocka_unit_test(what_is_written_to_the_judge_does_not_pass),
        cmocka_unit_test(hooks_and_signals_do_not_pass),
        cmocka_unit_test(given_functions_are_the_tests),
        cmocka_unit_test(bombs_are_contained),
        cmocka_unit_test(a_fork_bomb_is_contained),
        cmocka_unit_test(no_process_is_left),
        cmocka_unit_test(nothing_is_seen_or_changed),
        cmocka_unit_test(files_and_ports_of_ours_are_out_of_reach),
        cmocka_unit_test(many_run_at_once),
        cmocka_unit_test(without_namespaces_the_verdict_holds),
        cmocka_unit_test(what_is_missing_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
