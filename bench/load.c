/* A WebSocket load generator on epoll: one thread, frames built once, nothing allocated while it runs.
 *
 *     load echo|broadcast|idle PORT PATH PID CONNECTIONS DEPTH WARM_MS RUN_MS PAYLOAD_FILE
 *
 * echo: every connection keeps DEPTH messages under way and sends one for each that comes back.
 * broadcast: the first connection sends DEPTH messages, then one for each that has come back on every connection.
 * idle: the connections only answer pings.
 * Connection i has the platform header pNNNNN; "p00000" in the payload becomes its name. Frames are masked with a key
 * of their own. PID is the server: its CPU time and memory are read from /proc. Prints one line of JSON. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SLOTS = 200000, CHUNK = 1 << 18 };

typedef struct {
  int fd;
  char *frame;         /* one whole masked frame */
  size_t size;
  size_t written;      /* of the frame being written */
  size_t queued;       /* frames not wholly written */
  int waiting;         /* for EPOLLOUT */
  unsigned char head[14];
  int head_size;
  uint64_t left;       /* payload bytes still to come */
  int in_payload;
  int opcode, last;    /* of the frame coming in */
  unsigned char ping[125];
  size_t ping_size;
  uint64_t *sent;      /* when each message under way was queued, a ring of DEPTH */
  size_t sent_at, got_at;
} Link;

static enum { ECHO, BROADCAST, IDLE } mode;
static Link *links;
static int link_count, depth, poller;
static uint64_t received, trigger_left;
static uint32_t slots[SLOTS + 1]; /* latencies in microseconds */
static int counting;
static char *chunk;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Seconds of CPU of every thread that is alive, to the nanosecond. */
static double cpu_of(int pid) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *tasks = opendir(path);
  if (!tasks) return 0;
  double sum = 0;
  for (struct dirent *task; (task = readdir(tasks));) {
    if (task->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, task->d_name);
    FILE *file = fopen(path, "r");
    unsigned long long spent = 0;
    if (file && fscanf(file, "%llu", &spent) == 1) sum += (double)spent / 1e9;
    if (file) fclose(file);
  }
  closedir(tasks);
  return sum;
}

static double resident_kb(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  unsigned long total = 0, resident = 0;
  if (file && fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
  if (file) fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* Builds a masked client frame. */
static char *make_frame(int opcode, const char *payload, size_t size, uint32_t key, size_t *frame_size) {
  unsigned char mask[4] = {(unsigned char)(key >> 24), (unsigned char)(key >> 16), (unsigned char)(key >> 8),
                           (unsigned char)key};
  unsigned char *frame = malloc(size + 14);
  if (!frame) fail("memory");
  size_t at = 0;
  frame[at++] = (unsigned char)(0x80 | opcode);
  if (size < 126) {
    frame[at++] = (unsigned char)(0x80 | size);
  } else if (size < 65536) {
    frame[at++] = 0x80 | 126;
    frame[at++] = (unsigned char)(size >> 8);
    frame[at++] = (unsigned char)size;
  } else {
    frame[at++] = 0x80 | 127;
    for (int shift = 56; shift >= 0; shift -= 8) frame[at++] = (unsigned char)((uint64_t)size >> shift);
  }
  memcpy(frame + at, mask, 4);
  at += 4;
  for (size_t i = 0; i < size; i++) frame[at + i] = (unsigned char)payload[i] ^ mask[i & 3];
  *frame_size = at + size;
  return (char *)frame;
}

static void watch(Link *link, int writing) {
  struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = link};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, link->fd, &event)) fail("epoll_ctl");
  link->waiting = writing;
}

static void flush(Link *link) {
  while (link->queued > 0) {
    struct iovec parts[BATCH];
    int count = link->queued < BATCH ? (int)link->queued : BATCH;
    for (int i = 0; i < count; i++) {
      size_t skip = i == 0 ? link->written : 0;
      parts[i] = (struct iovec){.iov_base = link->frame + skip, .iov_len = link->size - skip};
    }
    ssize_t done = writev(link->fd, parts, count);
    if (done < 0 && errno == EAGAIN) {
      if (!link->waiting) watch(link, 1);
      return;
    }
    if (done < 0) fail("write");
    size_t total = link->written + (size_t)done;
    link->queued -= total / link->size;
    link->written = total % link->size;
  }
  if (link->waiting) watch(link, 0);
}

static void queue(Link *link, size_t count) {
  uint64_t now = now_ns();
  for (size_t i = 0; i < count; i++) link->sent[link->sent_at++ % (size_t)depth] = now;
  link->queued += count;
  flush(link);
}

/* A pong goes between two frames; in the middle of one it has to be skipped, and the next ping asks again. */
static void answer_ping(Link *link) {
  if (link->written > 0) return;
  size_t size;
  char *frame = make_frame(10, (const char *)link->ping, link->ping_size, 0x1b2c3d4e, &size);
  if (write(link->fd, frame, size) != (ssize_t)size) fail("pong");
  free(frame);
}

static void took(Link *link, uint64_t now, size_t *answers) {
  received++;
  if (mode == ECHO) (*answers)++;
  if (mode == ECHO || (mode == BROADCAST && link == &links[0])) {
    uint64_t us = (now - link->sent[link->got_at++ % (size_t)depth]) / 1000;
    if (counting) slots[us < SLOTS ? us : SLOTS]++;
  }
  if (mode == BROADCAST && --trigger_left == 0) {
    trigger_left = (uint64_t)link_count;
    queue(&links[0], 1);
  }
}

static void frame_done(Link *link, uint64_t now, size_t *answers) {
  if (link->opcode == 9) answer_ping(link);
  else if (link->opcode == 8) fail("closed by the server");
  else if (link->last && link->opcode != 10) took(link, now, answers);
}

/* Bytes the header needs, as far as it is known. */
static int head_need(const Link *link) {
  if (link->head_size < 2) return 2;
  int code = link->head[1] & 127;
  return code == 126 ? 4 : code == 127 ? 10 : 2;
}

static void take(Link *link) {
  ssize_t size = read(link->fd, chunk, CHUNK);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) fail("connection lost");
  uint64_t now = now_ns();
  size_t answers = 0;
  for (ssize_t at = 0; at < size;) {
    if (!link->in_payload) {
      link->head[link->head_size++] = (unsigned char)chunk[at++];
      if (link->head_size < head_need(link)) continue;
      uint64_t length = link->head[1] & 127;
      if (length > 125) {
        int bytes = length == 126 ? 2 : 8;
        length = 0;
        for (int i = 0; i < bytes; i++) length = length << 8 | link->head[2 + i];
      }
      link->opcode = link->head[0] & 15;
      link->last = link->head[0] >> 7;
      link->left = length;
      link->ping_size = 0;
      link->head_size = 0;
      link->in_payload = 1;
    } else {
      uint64_t here = (uint64_t)(size - at) < link->left ? (uint64_t)(size - at) : link->left;
      if (link->opcode == 9 && link->ping_size + here <= sizeof link->ping) {
        memcpy(link->ping + link->ping_size, chunk + at, here);
        link->ping_size += here;
      }
      link->left -= here;
      at += (ssize_t)here;
    }
    if (link->in_payload && link->left == 0) {
      link->in_payload = 0;
      frame_done(link, now, &answers);
    }
  }
  if (answers > 0) queue(link, answers);
}

static void open_link(Link *link, int index, int port, const char *path) {
  link->fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
  int on = 1;
  setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char text[512];
  int size = snprintf(text, sizeof text,
                      "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Version: 13\r\n"
                      "platform: p%05d\r\n\r\n", path, port, index);
  if (write(link->fd, text, (size_t)size) != size) fail("handshake");
  int got = 0; /* byte by byte, so that nothing of the first frame is taken */
  while (got < 4 || memcmp(text + got - 4, "\r\n\r\n", 4)) {
    if (got == (int)sizeof text || read(link->fd, text + got, 1) != 1) fail("handshake answer");
    got++;
  }
  if (memcmp(text, "HTTP/1.1 101", 12)) fail("not upgraded");
  fcntl(link->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, link->fd, &event)) fail("epoll_ctl");
}

static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) fail(path);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  char *text = malloc(*size + 1);
  if (!text || fread(text, 1, *size, file) != *size) fail(path);
  fclose(file);
  return text;
}

/* Puts the name of a connection where the payload has the name of the one before. */
static void name_payload(char *payload, size_t size, int index) {
  char old[16], name[16];
  snprintf(old, sizeof old, "p%05d", index > 0 ? index - 1 : 0);
  snprintf(name, sizeof name, "p%05d", index);
  char *end = payload + size;
  for (char *at = payload; (at = memmem(at, (size_t)(end - at), old, 6)); at += 6) memcpy(at, name, 6);
}

static void run_until(uint64_t end) {
  static struct epoll_event events[1024];
  for (uint64_t now = now_ns(); now < end; now = now_ns()) {
    int count = epoll_wait(poller, events, 1024, (int)((end - now) / 1000000u) + 1);
    for (int i = 0; i < count; i++) {
      Link *link = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush(link);
      if (events[i].events & ~(unsigned)EPOLLOUT) take(link);
    }
  }
}

static uint32_t quantile(double share) {
  uint64_t total = 0, sum = 0;
  for (int us = 0; us <= SLOTS; us++) total += slots[us];
  for (uint32_t us = 0; us <= SLOTS; us++) {
    sum += slots[us];
    if ((double)sum >= share * (double)total) return us;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 10) {
    fprintf(stderr, "load: see the head of load.c\n");
    return 2;
  }
  mode = !strcmp(argv[1], "echo") ? ECHO : !strcmp(argv[1], "broadcast") ? BROADCAST : IDLE;
  int port = atoi(argv[2]), pid = atoi(argv[4]);
  link_count = atoi(argv[5]);
  depth = atoi(argv[6]);
  uint64_t warm = (uint64_t)atoi(argv[7]) * 1000000u, run = (uint64_t)atoi(argv[8]) * 1000000u;
  size_t size;
  char *payload = read_file(argv[9], &size);
  poller = epoll_create1(0);
  links = calloc((size_t)link_count, sizeof *links);
  chunk = malloc(CHUNK);
  if (!links || !chunk) fail("memory");
  double empty_kb = resident_kb(pid);
  for (int i = 0; i < link_count; i++) {
    Link *link = &links[i];
    open_link(link, i, port, argv[3]);
    name_payload(payload, size, i);
    link->sent = calloc((size_t)depth, sizeof *link->sent);
    link->frame = make_frame(1, payload, size, 0x9e3779b9u * (uint32_t)(i + 1), &link->size);
  }
  trigger_left = (uint64_t)link_count;
  if (mode == ECHO) for (int i = 0; i < link_count; i++) queue(&links[i], (size_t)depth);
  if (mode == BROADCAST) queue(&links[0], (size_t)depth);
  run_until(now_ns() + warm);
  uint64_t before = received, start = now_ns();
  double own = own_cpu(), theirs = cpu_of(pid);
  counting = 1;
  run_until(start + run);
  double seconds = (double)(now_ns() - start) / 1e9;
  double messages = (double)(received - before);
  theirs = cpu_of(pid) - theirs;
  printf("{\"rate\":%.1f,\"p50\":%u,\"p99\":%u,\"loadShare\":%.3f,\"serverShare\":%.5f,\"cpuUs\":%.3f,"
         "\"emptyKb\":%.0f,\"fullKb\":%.0f}\n",
         messages / seconds, quantile(0.5), quantile(0.99), (own_cpu() - own) / seconds, theirs / seconds,
         messages > 0 ? theirs * 1e6 / messages : 0.0, empty_kb, resident_kb(pid));
  return 0;
}
