#: config plain
vcl 4.1;
import directors;

probe health {
    .url = "@path@";
    .interval = @interval@;
    .timeout = 2s;
    .window = 5;
    .threshold = 3;
}
backend web1 { .host = "127.0.0.1"; .port = "@port@"; .probe = health; }
backend web2 { .host = "127.0.0.1"; .port = "@otherport@"; .probe = health; }

sub vcl_init {
    new shop = directors.round_robin();
    shop.add_backend(web1);
    shop.add_backend(web2);
}
sub vcl_recv {
    set req.backend_hint = shop.backend();
}

#: each
    if (local.socket == "p@front@") { return (vcl(at_@name@)); }

#: frame
vcl 4.1;
backend default none;
sub vcl_recv {
@configs@
    return (synth(500));
}
