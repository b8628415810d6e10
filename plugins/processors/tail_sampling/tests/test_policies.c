// SPDX-License-Identifier: Apache-2.0
/* Every policy type, alone and together, case by case (contrib-processors 1.3 to 1.5). */
#include <config.h>

#include <stdlib.h>

#include "plugins/processors/tail_sampling/tests/run.h"
#include "tests/unit/suite.h"

/* Requests are decided after decision_wait; `sampled` are the traces that come out. */
struct policy_case {
    const char *policies;
    const char *spans;
    const char *sampled;
};

#define ALWAYS "{'name': 'all', 'type': 'always_sample'}"
#define LATENCY(name, keys) "{'name': '" name "', 'type': 'latency', 'latency': {" keys "}}"
#define NUMBER(keys) "{'name': 'n', 'type': 'numeric_attribute', 'numeric_attribute': {'key': 'k', " keys "}}"
#define STATUS(codes) "{'name': 's', 'type': 'status_code', 'status_code': {'status_codes': [" codes "]}}"
#define STRING(keys) "{'name': 't', 'type': 'string_attribute', 'string_attribute': {'key': 'k', " keys "}}"
#define BOOLEAN(keys) "{'name': 'b', 'type': 'boolean_attribute', 'boolean_attribute': {'key': 'k', " keys "}}"
#define STATE(values) "{'name': 'w', 'type': 'trace_state', 'trace_state': {'key': 'k', 'values': [" values "]}}"
#define FLAGS "{'name': 'f', 'type': 'trace_flags'}"
#define COUNT(keys) "{'name': 'c', 'type': 'span_count', 'span_count': {" keys "}}"
#define SPANS(keys) "{'name': 'r', 'type': 'rate_limiting', 'rate_limiting': {" keys "}}"
#define BYTES(keys) "{'name': 'y', 'type': 'bytes_limiting', 'bytes_limiting': {" keys "}}"
#define PART(keys) "{'name': 'p', 'type': 'probabilistic', 'probabilistic': {" keys "}}"
#define NOT(name, inner) "{'name': '" name "', 'type': 'not', 'not': {'not_sub_policy': " inner "}}"
#define AND(parts) "{'name': 'and', 'type': 'and', 'and': {'and_sub_policy': [" parts "]}}"
#define DROP(parts) "{'name': 'drop', 'type': 'drop', 'drop': {'drop_sub_policy': [" parts "]}}"
#define COMPOSITE(most, allocations, parts)                                                        \
    "{'name': 'x', 'type': 'composite', 'composite': {'max_total_spans_per_second': " most         \
    ", 'rate_allocation': [" allocations "], 'composite_sub_policy': [" parts "]}}"
#define SHARE(name, percent) "{'policy': '" name "', 'percent': " percent "}"

static const struct policy_case always_sample[] = {
    { "", "1; 2", "" },
    { ALWAYS, "1", "1" },
    { ALWAYS, "1; 2 | 3 / 4", "1,2,3,4" },
};

static const struct policy_case latency[] = {
    { LATENCY("l", "'threshold_ms': 100"), "1 d:0-99; 2 d:0-100; 3 d:0-101", "2,3" },
    { LATENCY("l", "'threshold_ms': 100"), "1 d:0-60; 1 child d:50-110", "1" },
    { LATENCY("l", "'threshold_ms': 100"), "1 d:0-60; 1 child d:50-99", "" },
    { LATENCY("l", "'threshold_ms': 100"), "1 d:0-10 / 1 d:95-110", "1" },
    { LATENCY("l", "'threshold_ms': 100"), "1 d:95-110 / 1 d:0-10", "1" },
    { LATENCY("l", "'threshold_ms': 100"), "1 d:0-60; 2 d:50-110", "" },
    { LATENCY("l", "'threshold_ms': 100"), "1 d:200-100", "" },
    { LATENCY("l", ""), "1 d:5-5; 2 d:6-5", "1" },
    { LATENCY("l", "'threshold_ms': 0"), "1 d:0-0", "1" },
    { LATENCY("l", "'threshold_ms': -10"), "1 d:15-10; 2 d:25-10", "1" },
    { LATENCY("l", "'threshold_ms': 100, 'upper_threshold_ms': 200"), "1 d:0-100; 2 d:0-101; 3 d:0-200; 4 d:0-201", "2,3" },
    { LATENCY("l", "'threshold_ms': 100, 'upper_threshold_ms': 200"), "1 d:0-150; 1 d:0-900", "1" },
    { LATENCY("l", "'threshold_ms': 100, 'upper_threshold_ms': 200"), "1 d:0-900; 1 d:0-150", "" },
    { LATENCY("l", "'threshold_ms': 100, 'upper_threshold_ms': 200"), "1 d:0-50; 1 d:0-900", "" },
    { LATENCY("l", "'threshold_ms': 100, 'upper_threshold_ms': 200"), "1 d:0-50 / 1 d:60-150 / 1 d:0-900", "1" },
    { LATENCY("l", "'threshold_ms': 200, 'upper_threshold_ms': 100"), "1 d:0-150; 2 d:0-250", "" },
    { LATENCY("l", "'threshold_ms': 100, 'upper_threshold_ms': 100"), "1 d:0-100", "" },
    { LATENCY("l", "'upper_threshold_ms': 50"), "1 d:0-0; 2 d:0-1; 3 d:0-50; 4 d:0-51", "2,3" },
};

static const struct policy_case numeric_attribute[] = {
    { NUMBER("'min_value': 10, 'max_value': 20"), "1 int:k=9; 2 int:k=10; 3 int:k=15; 4 int:k=20; 5 int:k=21", "2,3,4" },
    { NUMBER("'min_value': 10"), "1 int:k=9; 2 int:k=10; 3 int:k=9000000000000", "2,3" },
    { NUMBER("'max_value': 20"), "1 int:k=-9; 2 int:k=20; 3 int:k=21", "1,2" },
    { NUMBER("'min_value': -5, 'max_value': -1"), "1 int:k=-6; 2 int:k=-5; 3 int:k=-1; 4 int:k=0", "2,3" },
    { NUMBER("'min_value': -5"), "1 int:k=0; 2 int:k=-5; 3 int:k=-6", "1,2" },
    { NUMBER("'min_value': 10"), "1 int:other=15", "" },
    { NUMBER("'min_value': 10"), "1 rint:k=15", "1" },
    { NUMBER("'min_value': 10"), "1 rint:k=15 int:k=1", "1" },
    { NUMBER("'min_value': 10"), "1 rint:k=1; 1 int:k=15", "1" },
    { NUMBER("'min_value': 10"), "1 int:k=1; 1 int:k=15; 2 int:k=1; 2 int:k=2", "1" },
    { NUMBER("'min_value': 10"), "1 str:k=15; 2 dbl:k=15; 3 bool:k=true", "" },
    { NUMBER("'max_value': 10"), "1 str:k=15; 2 dbl:k=15; 3 bool:k=true", "1,2,3" },
    { NUMBER("'min_value': 20, 'max_value': 10"), "1 int:k=15; 2 int:k=5; 3 int:k=25", "" },
    { NUMBER("'min_value': 10, 'invert_match': true"), "1 int:k=15; 2 int:k=5; 3", "2,3" },
    { NUMBER("'min_value': 10, 'invert_match': true"), "1 rint:k=15", "" },
    { NUMBER("'min_value': 10, 'invert_match': true"), "1 int:k=5; 1 int:k=15", "" },
    { NUMBER("'min_value': 10, 'invert_match': false"), "1 int:k=15", "1" },
    { NUMBER("'min_value': 10"), "1 rint:k=15 | 2", "1" },
};

static const struct policy_case probabilistic[] = {
    { PART("'sampling_percentage': 100"), "id:a54dca182530bb1d6d132cded6237b2e; id:d91e3f721fcb1971174494d6493c9d5c", "46,92" },
    { PART("'sampling_percentage': 250"), "id:d91e3f721fcb1971174494d6493c9d5c", "92" },
    { PART("'sampling_percentage': 0"), "id:a54dca182530bb1d6d132cded6237b2e", "" },
    { PART("'sampling_percentage': -5"), "id:a54dca182530bb1d6d132cded6237b2e", "" },
    { PART("'sampling_percentage': 5.953"), "id:a54dca182530bb1d6d132cded6237b2e", "" },
    { PART("'sampling_percentage': 5.954"), "id:a54dca182530bb1d6d132cded6237b2e", "46" },
    { PART("'sampling_percentage': 14.286"), "id:d91e3f721fcb1971174494d6493c9d5c", "" },
    { PART("'sampling_percentage': 14.287"), "id:d91e3f721fcb1971174494d6493c9d5c", "92" },
    { PART("'sampling_percentage': 49.9207"), "id:3460be31201e69fedaa0eee8b9997f5c", "" },
    { PART("'sampling_percentage': 49.9208"), "id:3460be31201e69fedaa0eee8b9997f5c", "92" },
    { PART("'sampling_percentage': 49.9208, 'hash_salt': ''"), "id:3460be31201e69fedaa0eee8b9997f5c", "92" },
    { PART("'sampling_percentage': 49.9208, 'hash_salt': 'default-hash-seed'"), "id:3460be31201e69fedaa0eee8b9997f5c", "92" },
    { PART("'sampling_percentage': 37.4728, 'hash_salt': 'east'"), "id:a54dca182530bb1d6d132cded6237b2e", "" },
    { PART("'sampling_percentage': 37.4729, 'hash_salt': 'east'"), "id:a54dca182530bb1d6d132cded6237b2e", "46" },
    { PART("'sampling_percentage': 91.663, 'hash_salt': 'east'"), "id:d91e3f721fcb1971174494d6493c9d5c", "" },
    { PART("'sampling_percentage': 91.664, 'hash_salt': 'east'"), "id:d91e3f721fcb1971174494d6493c9d5c", "92" },
    { PART("'sampling_percentage': 26.2109, 'hash_salt': ''"), "id:7c2999fdafe593253cd654af4dfad714", "" },
    { PART("'sampling_percentage': 26.211, 'hash_salt': ''"), "id:7c2999fdafe593253cd654af4dfad714", "20" },
};

static const struct policy_case status_code[] = {
    { STATUS("'ERROR'"), "1 s:ERROR; 2 s:OK; 3 s:UNSET; 4", "1" },
    { STATUS("'OK'"), "1 s:ERROR; 2 s:OK; 3 s:UNSET; 4", "2" },
    { STATUS("'UNSET'"), "1 s:ERROR; 2 s:OK; 3 s:UNSET; 4", "3,4" },
    { STATUS("'ERROR', 'OK'"), "1 s:ERROR; 2 s:OK; 3 s:UNSET", "1,2" },
    { STATUS("'ERROR', 'UNSET', 'OK'"), "1 s:ERROR; 2 s:OK; 3", "1,2,3" },
    { STATUS("'ERROR'"), "1 s:OK; 1 s:ERROR; 1 s:OK; 2 s:OK", "1" },
    { STATUS("'ERROR'"), "1 s:OK / 2 s:OK / 1 s:ERROR", "1" },
};

static const struct policy_case string_attribute[] = {
    { STRING("'values': ['v']"), "1 str:k=v; 2 str:k=w; 3 str:j=v; 4", "1" },
    { STRING("'values': ['v', 'w']"), "1 str:k=v; 2 str:k=w; 3 str:k=x", "1,2" },
    { STRING("'values': ['v']"), "1 rstr:k=v | 2 rstr:k=w", "1" },
    { STRING("'values': ['v']"), "1 rstr:k=w str:k=v", "1" },
    { STRING("'values': ['v']"), "1 rstr:k=v str:k=w", "1" },
    { STRING("'values': ['v']"), "1 str:k=vv; 2 str:k=V", "" },
    { STRING("'values': ['v']"), "1 str:k=v +str:k=w; 2 str:k=w +str:k=v", "1" },
    { STRING("'values': ['v']"), "1 str:k=w; 1 str:k=v", "1" },
    { STRING("'values': ['']"), "1 str:k=; 2", "" },
    { STRING("'values': ['']"), "1 rstr:k= | 2 rint:k=5", "" },
    { STRING("'values': ['5', 'true']"), "1 int:k=5; 2 bool:k=true; 3 str:k=5", "3" },
    { STRING("'values': []"), "1 str:k=v", "" },
    { STRING("'values': ['v'], 'invert_match': true"), "1 str:k=v; 2 str:k=w; 3", "2,3" },
    { STRING("'values': ['v'], 'invert_match': true"), "1 rstr:k=v | 2 str:k=v; 3 str:k=x", "3" },
    { STRING("'values': ['^v'], 'enabled_regex_matching': true"), "1 str:k=vx; 2 str:k=xv", "1" },
    { STRING("'values': ['v'], 'enabled_regex_matching': true"), "1 str:k=xvx; 2 str:k=x", "1" },
    { STRING("'values': ['^a$', '^b+$'], 'enabled_regex_matching': true"), "1 str:k=a; 2 str:k=bbb; 3 str:k=ab", "1,2" },
    { STRING("'values': ['(?i)get'], 'enabled_regex_matching': true"), "1 str:k=GET; 2 str:k=PUT", "1" },
    { STRING("'values': ['.*'], 'enabled_regex_matching': true"), "1 str:k=; 2 str:k=x; 3", "2" },
    { STRING("'values': ['.*'], 'enabled_regex_matching': true"), "1 rstr:k= | 2 rint:k=5 | 3 rstr:j=x", "1,2" },
    { STRING("'values': ['.*'], 'enabled_regex_matching': true"), "1 int:k=5", "" },
    { STRING("'values': ['^v'], 'enabled_regex_matching': true, 'invert_match': true"), "1 str:k=vx; 2 str:k=x; 3", "2,3" },
    { STRING("'values': ['^v'], 'enabled_regex_matching': true, 'cache_max_size': 2"),
      "1 str:k=v1; 2 str:k=w1; 3 str:k=v2; 4 str:k=w2 / 5 str:k=v1; 6 str:k=w1; 7 str:k=v3; 8 str:k=v3; 9 str:k=w1", "1,3,5,7,8" },
    { STRING("'values': ['^v'], 'enabled_regex_matching': true, 'cache_max_size': -1"), "1 str:k=v; 2 str:k=w", "1" },
    { STRING("'values': ['a.c'], 'enabled_regex_matching': false"), "1 str:k=abc; 2 str:k=a.c", "2" },
};

static const struct policy_case boolean_attribute[] = {
    { BOOLEAN("'value': true"), "1 bool:k=true; 2 bool:k=false; 3", "1" },
    { BOOLEAN("'value': false"), "1 bool:k=true; 2 bool:k=false; 3", "2" },
    { BOOLEAN("'value': true"), "1 rbool:k=true | 2 rbool:k=false", "1" },
    { BOOLEAN("'value': true"), "1 rbool:k=false bool:k=true", "1" },
    { BOOLEAN("'value': false"), "1 str:k=true; 2 int:k=1", "1,2" },
    { BOOLEAN("'value': true"), "1 str:k=true; 2 int:k=1", "" },
    { BOOLEAN("'value': true, 'invert_match': true"), "1 bool:k=true; 2 bool:k=false; 3", "2,3" },
    { BOOLEAN("'value': true, 'invert_match': true"), "1 bool:k=false; 1 bool:k=true", "" },
    { BOOLEAN("'invert_match': true"), "1 bool:k=true; 2 bool:k=false; 3", "1,3" },
};

static const struct policy_case trace_state[] = {
    { STATE("'v'"), "1 ts:k=v; 2 ts:k=w; 3 ts:j=v; 4", "1" },
    { STATE("'v', 'w'"), "1 ts:k=w; 2 ts:k=x", "1" },
    { STATE("'v'"), "1 ts:a=b,k=v; 2 ts:a=b,k=w", "1" },
    { STATE("'v'"), "1 ts:a=b,~k=v~,c=d; 2 ts:,k=v,", "1,2" },
    { STATE("'v'"), "1 ts:a=b; 1 ts:k=v", "1" },
    { STATE("'v'"), "1 ts:k=v,A=b", "" },
    { STATE("'v'"), "1 ts:k=v,a", "" },
    { STATE("'v'"), "1 ts:k=v,a=", "" },
    { STATE("'v'"), "1 ts:k=v,a=b=c", "" },
    { STATE("'v'"), "1 ts:k=v,k=w", "" },
    { STATE("'v'"), "1 ts:a=1,a=2,k=v", "" },
    { STATE("'v'"), "1 ts:k=v,~", "" },
    { STATE("'v'"), "1 ts:k=v,1a=x; 2 ts:k=v,1a@b=x; 3 ts:k=v,a@1b=x", "2" },
    { STATE("'v w'"), "1 ts:k=v~w", "1" },
    { STATE("''"), "1 ts:a=b; 2", "" },
    { STATE("'v'"), "1 ts:a1=1,a2=1,a3=1,a4=1,a5=1,a6=1,a7=1,a8=1,a9=1,b1=1,b2=1,b3=1,b4=1,b5=1,b6=1,b7=1,b8=1,b9=1,"
                    "c1=1,c2=1,c3=1,c4=1,c5=1,c6=1,c7=1,c8=1,c9=1,d1=1,d2=1,d3=1,d4=1,k=v", "1" },
    { STATE("'v'"), "1 ts:a1=1,a2=1,a3=1,a4=1,a5=1,a6=1,a7=1,a8=1,a9=1,b1=1,b2=1,b3=1,b4=1,b5=1,b6=1,b7=1,b8=1,b9=1,"
                    "c1=1,c2=1,c3=1,c4=1,c5=1,c6=1,c7=1,c8=1,c9=1,d1=1,d2=1,d3=1,d4=1,d5=1,k=v", "" },
};

static const struct policy_case trace_flags[] = {
    { FLAGS, "1 f:1; 2 f:0; 3", "1" },
    { FLAGS, "1 f:3; 2 f:2; 3 f:256; 4 f:257", "1,4" },
    { FLAGS, "1 f:0; 1 f:1", "1" },
};

static const struct policy_case span_count[] = {
    { COUNT("'min_spans': 2"), "1; 2; 2; 3; 3; 3", "2,3" },
    { COUNT("'min_spans': 2, 'max_spans': 2"), "1; 2; 2; 3; 3; 3", "2" },
    { COUNT("'max_spans': 2"), "1; 2; 2; 3; 3; 3", "1,2" },
    { COUNT(""), "1; 2; 2", "1,2" },
    { COUNT("'min_spans': 3"), "1 / 1 / 1", "1" },
    { COUNT("'min_spans': 3"), "1 | 1 / 1 | 2; 2", "1" },
    { COUNT("'min_spans': 4, 'max_spans': 2"), "1; 2; 2; 2; 2; 2", "" },
};

static const struct policy_case rate_limiting[] = {
    { SPANS("'spans_per_second': 2"), "1; 2; 3; 4; 5", "1,2,3,4" },
    { SPANS("'spans_per_second': 2"), "1; 1; 1; 1; 1; 2", "2" },
    { SPANS("'spans_per_second': 2"), "1; 1; 1; 1; 2", "1" },
    { SPANS("'spans_per_second': 2"), "1; 1; 1; 2; 2; 3", "1,3" },
    { SPANS("'spans_per_second': 2, 'burst_capacity': 1"), "1; 2; 3", "1" },
    { SPANS("'spans_per_second': 2, 'burst_capacity': 10"), "1; 1; 1; 1; 1; 1; 1; 1; 1; 1; 2", "1" },
    { SPANS("'spans_per_second': 3"), "1; 2; 3; 4; 5; 6; 7", "1,2,3,4,5,6" },
    { SPANS("'spans_per_second': 0"), "1", "" },
    { SPANS("'spans_per_second': 0, 'burst_capacity': 2"), "1; 2; 3", "1,2" },
};

/* A trace of these is 44 bytes: resource 2, scope 8, trace id 18, span id 10, and 2 of framing at each of three levels. */
static const struct policy_case bytes_limiting[] = {
    { BYTES("'bytes_per_second': 1000"), "1; 2", "1,2" },
    { BYTES("'bytes_per_second': 10"), "1", "" },
    { BYTES("'bytes_per_second': 0"), "1", "" },
    { BYTES("'bytes_per_second': 1, 'burst_capacity': 60"), "1; 2", "1" },
    { BYTES("'bytes_per_second': 1, 'burst_capacity': 44"), "1", "1" },
    { BYTES("'bytes_per_second': 1, 'burst_capacity': 43"), "1", "" },
    { BYTES("'bytes_per_second': 22"), "1; 2", "1" },
    { BYTES("'bytes_per_second': 1, 'burst_capacity': 88"), "1; 2; 3", "1,2" },
};

static const struct policy_case negation[] = {
    { NOT("not", STATUS("'ERROR'")), "1 s:ERROR; 2 s:OK; 3", "2,3" },
    { NOT("not", ALWAYS), "1", "" },
    { NOT("not", LATENCY("l", "'threshold_ms': 100")), "1 d:0-150; 2 d:0-50", "2" },
    { NOT("not", STRING("'values': ['v']")), "1 str:k=v; 2", "2" },
    { NOT("not", STRING("'values': ['v'], 'invert_match': true")), "1 str:k=v; 2", "1" },
    { NOT("not", COUNT("'min_spans': 2")), "1; 2; 2", "1" },
};

static const struct policy_case conjunction[] = {
    { AND(STATUS("'ERROR'") "," LATENCY("l", "'threshold_ms': 100")),
      "1 s:ERROR d:0-150; 2 s:ERROR d:0-50; 3 s:OK d:0-150; 4", "1" },
    { AND(STATUS("'ERROR'") "," LATENCY("l", "'threshold_ms': 100")), "1 s:ERROR d:0-10; 1 s:OK d:0-150", "1" },
    { AND(STATUS("'ERROR'")), "1 s:ERROR; 2", "1" },
    { AND(""), "1", "1" },
    { AND(NOT("no", STATUS("'ERROR'")) "," STRING("'values': ['v']")), "1 s:ERROR str:k=v; 2 str:k=v; 3", "2" },
    { AND(STRING("'values': ['v']") "," NOT("no", STATUS("'ERROR'"))), "1 s:ERROR str:k=v; 2 str:k=v; 3", "2" },
    { AND(STRING("'values': ['v']") "," STRING("'values': ['w']")), "1 str:k=v; 1 str:k=w; 2 str:k=v", "1" },
    { AND(STRING("'values': ['v'], 'invert_match': true") "," STATUS("'ERROR'")), "1 str:k=v s:ERROR; 2 s:ERROR", "2" },
    /* stops at the first that does not sample: the limiter is charged for errors only */
    { AND(STATUS("'ERROR'") "," SPANS("'spans_per_second': 1")), "1; 2; 3; 4 s:ERROR; 5 s:ERROR; 6 s:ERROR", "4,5" },
    { AND(SPANS("'spans_per_second': 1") "," STATUS("'ERROR'")), "1; 2; 3; 4 s:ERROR; 5 s:ERROR; 6 s:ERROR", "" },
    { AND(STATUS("'ERROR'") "," FLAGS "," COUNT("'min_spans': 2")), "1 s:ERROR f:1; 2 s:ERROR; 2 f:1; 3 f:1; 3", "2" },
};

static const struct policy_case drop[] = {
    { DROP(STATUS("'OK'")) "," ALWAYS, "1 s:OK; 2", "2" },
    { ALWAYS "," DROP(STATUS("'OK'")), "1 s:OK; 2", "2" },
    { DROP(STATUS("'OK'")), "1 s:OK; 2", "" },
    { DROP(STATUS("'OK'") "," STRING("'values': ['v']")) "," ALWAYS, "1 s:OK; 2 str:k=v; 3 s:OK str:k=v; 4", "1,2,4" },
    { DROP(NOT("no", STATUS("'ERROR'"))) "," ALWAYS, "1 s:ERROR; 2 s:OK", "1" },
    { DROP("") "," ALWAYS, "1", "" },
    { ALWAYS "," STATUS("'ERROR'") "," DROP(LATENCY("l", "'threshold_ms': 100")), "1 s:ERROR d:0-200; 2 s:ERROR d:0-20", "2" },
    /* a dropped trace is not voted on any further */
    { SPANS("'spans_per_second': 1") "," DROP(STATUS("'OK'")), "1 s:OK; 2 s:OK; 3 s:OK; 4; 5; 6", "4,5" },
};

static const struct policy_case composite[] = {
    { COMPOSITE("10", SHARE("s", "50"), STATUS("'ERROR'")), "1 s:ERROR; 2", "1" },
    { COMPOSITE("4", SHARE("s", "50"), STATUS("'ERROR'")), "1 s:ERROR; 2 s:ERROR; 3 s:ERROR", "1,2" },
    { COMPOSITE("4", SHARE("s", "50"), STATUS("'ERROR'")), "1 s:ERROR; 1; 1; 2 s:ERROR", "2" },
    { COMPOSITE("10", "", STATUS("'ERROR'")), "1 s:ERROR", "" },
    { COMPOSITE("10", SHARE("other", "50"), STATUS("'ERROR'")), "1 s:ERROR", "" },
    { COMPOSITE("10", SHARE("s", "0"), STATUS("'ERROR'")), "1 s:ERROR; 2", "1" },
    { COMPOSITE("4", SHARE("s", "-1") "," SHARE("all", "-1"), STATUS("'ERROR'") "," ALWAYS),
      "1 s:ERROR; 2 s:ERROR; 3 s:ERROR; 4; 5; 6", "1,2,4,5" },
    /* the first that samples settles it, also where its spans are used up */
    { COMPOSITE("4", SHARE("s", "25") "," SHARE("all", "75"), STATUS("'ERROR'") "," ALWAYS),
      "1 s:ERROR; 2 s:ERROR; 3; 4; 5; 6", "1,3,4,5" },
    /* and is charged only for what it lets through */
    { COMPOSITE("4", SHARE("s", "50"), STATUS("'ERROR'")), "1 s:ERROR; 1; 1; 1; 2 s:ERROR; 3 s:ERROR; 4 s:ERROR", "2,3" },
    /* max_total_spans_per_second is compared with the counter of one sub-policy, not with their sum */
    { COMPOSITE("2", SHARE("s", "100") "," SHARE("all", "100"), STATUS("'ERROR'") "," ALWAYS),
      "1 s:ERROR; 2 s:ERROR; 3; 4; 5", "1,2,3,4" },
    { COMPOSITE("2", SHARE("s", "300"), STATUS("'ERROR'")), "1 s:ERROR; 2 s:ERROR; 3 s:ERROR", "1,2" },
    { COMPOSITE("100", SHARE("s", "29"), ALWAYS "," STATUS("'ERROR'")), "1 s:ERROR", "" },
    { COMPOSITE("10", SHARE("and", "50"), AND(STATUS("'ERROR'") "," FLAGS)), "1 s:ERROR; 2 s:ERROR f:1", "2" },
    { COMPOSITE("10", SHARE("s", "100"), STATUS("'ERROR'")) "," FLAGS, "1 s:ERROR; 2 f:1; 3", "1,2" },
    { COMPOSITE("0", SHARE("s", "100"), STATUS("'ERROR'")), "1 s:ERROR", "" },
};

static const struct policy_case together[] = {
    { STATUS("'ERROR'") "," LATENCY("l", "'threshold_ms': 100"), "1 s:ERROR; 2 d:0-100; 3 s:OK d:0-50", "1,2" },
    { STATUS("'ERROR'") "," STRING("'values': ['v']") "," FLAGS, "1 f:1; 2 str:k=v; 3 s:ERROR; 4", "1,2,3" },
    { STRING("'values': ['v'], 'invert_match': true") "," STATUS("'ERROR'"), "1 str:k=v s:ERROR; 2 str:k=v; 3", "1,3" },
    { NUMBER("'min_value': 5") "," LATENCY("a", "'threshold_ms': 10") "," LATENCY("b", "'threshold_ms': 5, 'upper_threshold_ms': 7"),
      "1 int:k=5; 2 d:0-10; 3 d:0-6; 4 d:0-8", "1,2,3" },
    { NUMBER("'min_value': 5") "," STRING("'values': ['x']") "," BOOLEAN("'value': true"),
      "1 int:k=5; 2 str:k=x; 3 bool:k=true; 4 int:k=4; 5 str:k=y; 6 bool:k=false", "1,2,3" },
    { NOT("no", FLAGS) "," STATUS("'ERROR'"), "1 f:1; 2 f:1 s:ERROR; 3", "2,3" },
};

#define TABLE(cases) { #cases, cases, WEIR_ARRAY_LENGTH(cases) }
static const struct {
    const char *name;
    const struct policy_case *cases;
    size_t count;
} tables[] = {
    TABLE(always_sample), TABLE(latency),      TABLE(numeric_attribute), TABLE(probabilistic), TABLE(status_code),
    TABLE(string_attribute), TABLE(boolean_attribute), TABLE(trace_state), TABLE(trace_flags), TABLE(span_count),
    TABLE(rate_limiting), TABLE(bytes_limiting), TABLE(negation), TABLE(conjunction), TABLE(drop),
    TABLE(composite), TABLE(together),
};

START_TEST(decides)
{
    for (size_t i = 0; i < tables[_i].count; i++) {
        const struct policy_case *one = &tables[_i].cases[i];
        char *options = weir_xasprintf("{'decision_wait': '1s', 'policies': [%s]}", one->policies);
        char found[256];
        struct weir_batch *sent[8];
        tail_start(options);
        offer(one->spans);
        seconds(2);
        size_t count = weir_harness_sent_count(tail);
        ck_assert_uint_le(count, 8);
        for (size_t at = 0; at < count; at++)
            sent[at] = weir_harness_sent(tail, at);
        spans_traces(sent, count, found);
        ck_assert_msg(strcmp(found, one->sampled) == 0, "%s case %zu: %s of %s are %s, not %s", tables[_i].name, i,
                      one->policies, one->spans, found, one->sampled);
        ck_assert_uint_eq(held(), 0);
        tail_stop();
        free(options);
    }
}
END_TEST

static size_t case_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(tables); i++)
        count += tables[i].count;
    return count;
}

START_TEST(are_enough_cases)
{
    ck_assert_uint_ge(case_count(), 150);
}
END_TEST

START_TEST(refuses_wrong_policies)
{
    static const struct {
        const char *policy;
        const char *says;
    } cases[] = {
        { "{'name': '', 'type': 'always_sample'}", "empty name" },
        { "{'type': 'always_sample'}", "empty name" },
        { "{'name': 'a'}", "type" },
        { "{'name': 'a', 'type': 'nonsense'}", "nonsense" },
        { "{'name': 'a', 'type': 'always_sample'}, {'name': 'a', 'type': 'trace_flags'}", "duplicate policy name \"a\"" },
        { "{'name': 'a', 'type': 'ottl_condition', 'ottl_condition': {'span': ['true']}}", "no OTTL yet" },
        { "{'name': 'a', 'type': 'ottl_condition'}", "no OTTL yet" },
        { STATUS(""), "at least one status code" },
        { STATUS("'error'"), "unknown status code \"error\"" },
        { STATUS("'ERROR', 'FINE'"), "unknown status code \"FINE\"" },
        { NUMBER("'min_value': 0"), "min_value or max_value" },
        { "{'name': 'a', 'type': 'numeric_attribute', 'numeric_attribute': {'min_value': 5}}", "needs a key" },
        { "{'name': 'a', 'type': 'string_attribute'}", "needs a key" },
        { STRING("'values': ['('], 'enabled_regex_matching': true"), "policy \"t\"" },
        { "{'name': 'a', 'type': 'not'}", "not_sub_policy" },
        { NOT("a", AND(STATUS("'ERROR'"))), "type" },
        { AND(AND(STATUS("'ERROR'"))), "type" },
        { AND(STATUS("'NO'")), "unknown status code \"NO\"" },
        { AND(COMPOSITE("10", "", ALWAYS)), "type" },
        { DROP(DROP(STATUS("'ERROR'"))), "type" },
        { COMPOSITE("10", "", NOT("n", ALWAYS)), "type" },
        { COMPOSITE("10", "", DROP(ALWAYS)), "type" },
        { COMPOSITE("-1", "", ALWAYS), "max_total_spans_per_second" },
        { SPANS("'spans_per_second': -1"), "spans_per_second" },
        { COUNT("'min_spans': 3000000000"), "min_spans" },
        { "{'name': 'a', 'type': 'latency', 'latency': {'treshold_ms': 5}}", "threshold_ms" },
    };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(cases); i++) {
        char *options = weir_xasprintf("{'policies': [%s]}", cases[i].policy);
        char *refusal = tail_refusal(options);
        ck_assert_msg(strstr(refusal, cases[i].says) != NULL, "%s: \"%s\" has no \"%s\"", cases[i].policy, refusal,
                      cases[i].says);
        free(refusal);
        free(options);
    }
}
END_TEST

/* Refilling is continuous, and no more than the bucket holds. */
START_TEST(a_bucket_fills)
{
    tail_start("{'decision_wait': '1s', 'policies': [" SPANS("'spans_per_second': 2, 'burst_capacity': 3") "]}");
    offer("1; 2; 3; 4");
    seconds(2);
    assert_sent("1,2,3");
    offer("11; 12; 13; 14");
    seconds(1); /* three seconds since the bucket was emptied come to 3, not 6 */
    offer("21; 22; 23");
    seconds(1);
    assert_sent("11,12,13");
    seconds(1); /* one second: 2 */
    assert_sent("21,22");
    tail_stop();
}
END_TEST

START_TEST(counts_votes)
{
    tail_start("{'decision_wait': '1s', 'policies': [" STATUS("'ERROR'") "," ALWAYS "]}");
    offer("1 s:ERROR; 2");
    seconds(2);
    ck_assert_double_eq(series("count_traces_sampled"), 4);
    ck_assert_double_eq(series("sampling_policy_execution_count"), 4);
    ck_assert_double_eq(series("global_count_traces_sampled"), 2);
    ck_assert_double_eq(series("sampling_policy_evaluation_error"), 0);
    tail_stop();
}
END_TEST

START_TEST(counts_votes_up_to_the_first_match)
{
    tail_start("{'decision_wait': '1s', 'sample_on_first_match': true, 'policies': [" STATUS("'ERROR'") "," ALWAYS "]}");
    offer("1 s:ERROR; 2");
    seconds(2);
    assert_sent("1,2");
    ck_assert_double_eq(series("sampling_policy_execution_count"), 3);
    tail_stop();
}
END_TEST

/* Not asked: a limiter behind the first that samples keeps its tokens. */
START_TEST(the_first_match_ends_the_vote)
{
    static const char policies[] = "'policies': [" STATUS("'ERROR'") "," SPANS("'spans_per_second': 1") "]}";
    char *options = weir_xasprintf("{'decision_wait': '1s', 'sample_on_first_match': true, %s", policies);
    tail_start(options);
    offer("1 s:ERROR; 2 s:ERROR; 3; 4; 5");
    seconds(2);
    assert_sent("1,2,3,4");
    tail_stop();
    free(options);
    options = weir_xasprintf("{'decision_wait': '1s', %s", policies);
    tail_start(options);
    offer("1 s:ERROR; 2 s:ERROR; 3; 4; 5");
    seconds(2);
    assert_sent("1,2");
    tail_stop();
    free(options);
}
END_TEST

int main(void)
{
    tail_component = weir_harness_load(WEIR_PROCESSOR, "tail_sampling");
    Suite *suite = suite_create("tail_sampling policies");
    TCase *tests = tcase_create("policies");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, decides, 0, (int)WEIR_ARRAY_LENGTH(tables));
    tcase_add_test(tests, are_enough_cases);
    tcase_add_test(tests, refuses_wrong_policies);
    tcase_add_test(tests, a_bucket_fills);
    tcase_add_test(tests, counts_votes);
    tcase_add_test(tests, counts_votes_up_to_the_first_match);
    tcase_add_test(tests, the_first_match_ends_the_vote);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
