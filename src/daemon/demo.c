#include "daemon/demo.h"
struct demo *demo_new(struct config *c, bool n, struct err *e){(void)c;(void)n;err_set(e,ERR_FAILED,"no demo");return NULL;}
void demo_start(struct demo*d,const char*u){(void)d;(void)u;} void demo_stop(struct demo*d){(void)d;} void demo_free(struct demo*d){(void)d;}
